"""Reflection (grpc.reflection.v1alpha): lists services and describes what a pool of descriptors knows."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from llm_incident_manager.transport.rpc.strangers import Context, Strangers, received, sent

NAME = reflection.SERVICE_NAME
IDLE_SECONDS = 60.0
"""Without a question; whoever has one more asks in another call."""


def handler(
    services: Sequence[str], strangers: Strangers, pool: DescriptorPool | None = None
) -> grpc.GenericRpcHandler:
    """The service's one method; `pool` is the process's own by default."""
    servicer = reflection.aio.ReflectionServicer(services, pool=pool)

    async def info(context: Context) -> None:
        replies: Any = servicer.ServerReflectionInfo(_questions(context), context)
        async for reply in replies:
            await sent(context, reply.SerializeToString())

    return grpc.method_handlers_generic_handler(NAME, {"ServerReflectionInfo": strangers.handler(info)})


async def _questions(context: Context) -> AsyncIterator[ServerReflectionRequest]:
    while (data := await received(context, IDLE_SECONDS)) is not None:
        try:
            yield ServerReflectionRequest.FromString(data)
        except DecodeError:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the bytes are no ServerReflectionRequest")

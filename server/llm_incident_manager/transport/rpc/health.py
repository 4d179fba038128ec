"""The health service of gRPC (grpc.health.v1). The library's own waits, while it tells a change, for whoever does not
take it, and with it everybody: a single caller could hold up the end of the server."""

import asyncio
from collections.abc import Iterable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1.health_pb2 import (
    DESCRIPTOR,
    HealthCheckRequest,
    HealthCheckResponse,
)

from llm_incident_manager.transport.rpc.strangers import Context, Strangers, received, sent

NAME = DESCRIPTOR.services_by_name["Health"].full_name
SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


class Health:
    """Whether the server, which is "", and each of its services serve."""

    def __init__(self, strangers: Strangers) -> None:
        """Knows the server only."""
        self._strangers = strangers
        self._of: dict[str, Any] = {"": SERVING}
        self._ended = False
        self._changed = asyncio.Event()

    def handler(self) -> grpc.GenericRpcHandler:
        """Its methods."""
        methods = {"Check": self._check, "Watch": self._watch}
        return grpc.method_handlers_generic_handler(
            NAME, {name: self._strangers.handler(method) for name, method in methods.items()}
        )

    def tell(self, names: Iterable[str], status: Any) -> None:
        """From now on that is how these are, unless it is the end; who watches is told without being waited for."""
        if self._ended:
            return
        self._of |= dict.fromkeys(names, status)
        self._changed.set()
        self._changed = asyncio.Event()

    def end(self) -> None:
        """Nothing serves any more, for good."""
        self.tell(tuple(self._of), NOT_SERVING)
        self._ended = True

    async def _check(self, context: Context) -> None:
        asked = await _asked(context)
        if asked.service not in self._of:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no service of that name is here")
        await sent(context, HealthCheckResponse(status=self._of[asked.service]).SerializeToString())

    async def _watch(self, context: Context) -> None:
        asked, told = await _asked(context), None
        while True:
            changed, status = self._changed, self._of.get(asked.service, HealthCheckResponse.SERVICE_UNKNOWN)
            if status != told:
                await sent(context, HealthCheckResponse(status=status).SerializeToString())
                told = status
            await changed.wait()


async def _asked(context: Context) -> HealthCheckRequest:
    data = await received(context)
    asked = HealthCheckRequest()
    try:
        asked.ParseFromString(data or b"")
    except DecodeError:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the bytes are no HealthCheckRequest")
    return asked

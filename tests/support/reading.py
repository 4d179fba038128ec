"""Reads a raw gRPC stream whose next message a test expects, so that its end shows at the place where it is wrong."""

from typing import Any, TypeVar

from google.protobuf.message import Message
from grpc.aio import StreamStreamCall, UnaryStreamCall

M = TypeVar("M", bound=Message)


async def read(call: StreamStreamCall[Any, M] | UnaryStreamCall[Any, M], kind: type[M]) -> M:
    """The next message. Raises AssertionError at the end of the stream, AioRpcError when it ended with an error."""
    reply = await call.read()
    assert isinstance(reply, kind), reply
    return reply

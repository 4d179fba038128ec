"""From a call and its request through the chain to the handler and back. Doors only bring bytes and take replies."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any, cast

from google.protobuf.message import DecodeError, Message

from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields
from llm_incident_manager.transport.call import Call, Chain
from llm_incident_manager.transport.methods import Method

Unary = Callable[[Any, Call], Awaitable[Message]]
Streaming = Callable[[Any, Call], AsyncIterator[Message]]
Request = Callable[[], Awaitable[Message]]
Handlers = Mapping[str, Callable[..., Any]]


class Dispatcher:
    """Runs handlers by the full name of their method."""

    def __init__(self, chain: Chain, handlers: Handlers) -> None:
        """`handlers` must hold every method of the contract that is called."""
        self._chain = chain
        self._handlers = handlers

    async def unary(self, call: Call, request: Request) -> Message:
        """The reply. `request` reads and decodes inside the chain: nobody who must not call gets a body read, and a
        bad message is refused like any bad input."""
        async with AsyncExitStack() as stack:
            await self._chain.enter(call, stack)
            handler = cast(Unary, self._handlers[call.method.full_name])
            return await handler(checked(call, await request()), call)
        raise AssertionError("the chain swallowed an exception")

    async def server_stream(self, call: Call, request: Request) -> AsyncGenerator[Message, None]:
        """The replies, one by one."""
        async with AsyncExitStack() as stack:
            await self._chain.enter(call, stack)
            handler = cast(Streaming, self._handlers[call.method.full_name])
            async with aclosing(cast(Any, handler(checked(call, await request()), call))) as replies:
                async for reply in replies:
                    yield reply

    async def bidi(self, call: Call, requests: AsyncIterator[Message]) -> AsyncGenerator[Message, None]:
        """The replies to a stream of requests; the handler checks each, since a bad event must not end the stream."""
        async with AsyncExitStack() as stack:
            await self._chain.enter(call, stack)
            handler = cast(Streaming, self._handlers[call.method.full_name])
            async with aclosing(cast(Any, handler(requests, call))) as replies:
                async for reply in replies:
                    yield reply


def checked(call: Call, request: Message) -> Message:
    """The request, if every field keeps its rules; raises InvalidFields naming all that do not."""
    violations = call.check(request)
    if violations:
        raise InvalidFields(violations)
    return request


def decode(method: Method, data: bytes) -> Message:
    """A fresh message from bytes; raises MALFORMED_MESSAGE."""
    message = method.request()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        text = f"the bytes are not a {method.descriptor.input_type.full_name}: regenerate your client from the protos"
        raise DomainError(ErrorReason.MALFORMED_MESSAGE, text, {"method": method.full_name}) from error
    return message

"""From a call and its request through the chain to the handler and back. Doors only bring bytes and take replies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar, cast

from google.protobuf.message import DecodeError, Message

from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields, SlowSubscriber
from llm_incident_manager.transport import inspect
from llm_incident_manager.transport.call import Call, Chain
from llm_incident_manager.transport.limits import BATCH
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.redact import Redactor

T = TypeVar("T")
Unary = Callable[[Any, Call], Awaitable[Message]]
Streaming = Callable[[Any, Call], AsyncIterator[Message]]
Send = Callable[[Message], Awaitable[None]]
Request = Callable[[], Awaitable[Message]]
Handlers = Mapping[str, Callable[..., Any]]
Glance = Callable[[Call, bytes], None]
"""Looks at a request before it is decoded. Raises DomainError."""
NO_GLANCES: Mapping[str, Glance] = {}

TAKE_EVENTS = frozenset({"SubmitEvent", "SubmitEvents", "StreamEvents"})
"""Methods that inspect each event for itself, so that a bad one spoils no other."""


class Dispatcher:
    """Runs handlers by the full name of their method."""

    def __init__(
        self,
        chain: Chain,
        handlers: Handlers,
        redactor: Redactor,
        patience: float = 20.0,
        glances: Mapping[str, Glance] = NO_GLANCES,
    ) -> None:
        """`handlers` must hold every method of the contract that is called. A stream's caller that takes no reply for
        `patience` seconds is cut off."""
        self._chain = chain
        self._redactor = redactor
        self._handlers = handlers
        self._patience = patience
        self._glances = glances

    async def unary(self, call: Call, request: Request) -> Message:
        """The reply. `request` reads and decodes inside the chain: nobody who must not call gets a body read, and a
        bad message is refused like any bad input. Raises StatusError."""

        async def work() -> Message:
            handler = cast(Unary, self._handlers[call.method.full_name])
            message = self._checked(call, await request())
            if call.method.name == BATCH:
                await call.count(len(message.events))  # type: ignore[attr-defined]  # a SubmitEventsRequest
            return await handler(message, call)

        return await self._chain.run(call, work)

    async def around(self, call: Call, work: Callable[[], Awaitable[T]]) -> T:
        """What work gives that calls methods itself, such as a query of many fields. Raises StatusError."""
        return await self._chain.run(call, work)

    async def reading(self, call: Call, request: Message, handler: Callable[[], Awaitable[T]]) -> T:
        """What another handler than the method's own gives, for instance one that answers many such requests at once;
        `request` is what they have in common. Raises StatusError."""

        async def work() -> T:
            self._checked(call, request)
            return await handler()

        return await self._chain.run(call, work)

    def decoded(self, call: Call, data: bytes) -> Message:
        """The request of a call that the chain has let pass. Raises DomainError when it is refused unread, or is
        malformed."""
        glance = self._glances.get(call.method.full_name)
        if glance is not None:
            glance(call, data)
        return decode(call.method, data)

    async def server_stream(self, call: Call, request: Request, send: Send) -> None:
        """Sends the replies one by one; `send` returns when the door is ready for the next. Raises StatusError."""

        async def work() -> None:
            handler = cast(Streaming, self._handlers[call.method.full_name])
            await self._pass_on(call, handler(self._checked(call, await request()), call), send)

        await self._chain.run(call, work)

    async def bidi(
        self, call: Call, requests: AsyncIterator[Message], send: Send, handler: Streaming | None = None
    ) -> None:
        """Sends the replies to a stream of requests; the handler checks each, since a bad event must not end the
        stream. A door that speaks the method in words of its own brings the `handler` for these. Raises StatusError."""
        answering = handler or cast(Streaming, self._handlers[call.method.full_name])

        async def work() -> None:
            await self._pass_on(call, answering(self._all_redacted(requests), call), send)

        await self._chain.run(call, work)

    def _checked(self, call: Call, request: Message) -> Message:
        """The request without its secrets, before anything looks at it: what is refused is told of, and logged. Raises
        InvalidFields naming all fields that break their rules. Events are inspected by their handlers."""
        data = self._redactor.redact(request)
        found = call.check(request)
        if call.method.name not in TAKE_EVENTS:
            found = (*found, *inspect.steering(request, data))
        if found:
            raise InvalidFields(found)
        return request

    async def _all_redacted(self, requests: AsyncIterator[Message]) -> AsyncIterator[Message]:
        async for request in requests:
            self._redactor.redact(request)
            yield request

    async def _pass_on(self, call: Call, replies: AsyncIterator[Message], send: Send) -> None:
        async with aclosing(cast(Any, replies)) as open_replies:
            async for reply in open_replies:
                waiting = asyncio.timeout(self._patience)
                try:
                    async with waiting:
                        await send(reply)
                except TimeoutError as late:
                    if not waiting.expired():
                        raise
                    raise SlowSubscriber(self._patience, call.resume_token) from late


def decode(method: Method, data: bytes) -> Message:
    """A fresh message from bytes; raises MALFORMED_MESSAGE."""
    message = method.request()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        text = f"the bytes are not a {method.descriptor.input_type.full_name}: regenerate your client from the protos"
        raise DomainError(ErrorReason.MALFORMED_MESSAGE, text, {"method": method.full_name}) from error
    return message

"""What the fields of one operation share: who asks, and the way to the methods."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from google.protobuf.message import Message

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.graphql.loaders import Loaders
from llm_incident_manager.transport.handlers.many import Many
from llm_incident_manager.transport.hooks import REQUEST_ID, TRACEPARENT
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.readiness import Probes

T = TypeVar("T")
TRANSPORT = "graphql"
_METHODS: Mapping[str, Method] = {method.name: method for method in methods.all_methods()}
_WHOLE = methods.graphql()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client shows of itself: with a request, or when it opens a socket."""

    metadata: Mapping[str, str]
    peer: str
    certificate: bytes = b""
    tls: str = ""

    def whole(self, time_left: float | None = None) -> Call:
        """The call of a request as a whole, which asks who it is."""
        return Call(_WHOLE, TRANSPORT, self.metadata, self.peer, time_left, self.certificate, self.tls)

    def within(self, whole: Call) -> "Shown":
        """The same for the calls that a request makes: they are of one name and one trace with it."""
        named = {REQUEST_ID: whole.request_id}
        traced = {TRACEPARENT: whole.traceparent} if whole.traceparent else {}
        return Shown({**self.metadata, **named, **traced}, self.peer, self.certificate, self.tls)


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the door."""

    dispatcher: Dispatcher
    many: Many
    probes: Probes


@dataclass(slots=True)
class Context:
    """Of one operation."""

    behind: Behind
    shown: Shown
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is loaded yet."""
        self.loaders = Loaders(self)

    @property
    def request_id(self) -> str:
        """The name of the request."""
        return self.shown.metadata.get(REQUEST_ID, "")

    def call(self, name: str) -> Call:
        """A call of a method."""
        shown = self.shown
        return Call(_METHODS[name], TRANSPORT, shown.metadata, shown.peer, None, shown.certificate, shown.tls)

    async def ask(self, name: str, request: Callable[[], Message]) -> Message:
        """The reply of a method. `request` is made once the caller may ask it. Raises StatusError."""

        async def given() -> Message:
            return request()

        return await self.behind.dispatcher.unary(self.call(name), given)

    async def read(self, name: str, request: Message, handler: Callable[[Call], Awaitable[T]]) -> T:
        """What a read beside a method gives, under its permission. Raises StatusError."""
        call = self.call(name)
        return await self.behind.dispatcher.reading(call, request, lambda: handler(call))

    async def follow(self, name: str, request: Message) -> AsyncIterator[Any]:
        """The replies of a streaming method, one at a time: the next is made when this one was taken. Raises
        StatusError."""
        call, replies = self.call(name), asyncio.Queue[Message](1)

        async def given() -> Message:
            return request

        stream = self.behind.dispatcher.server_stream(call, given, replies.put)
        sending = asyncio.create_task(stream, name="graphql-stream")
        try:
            while (reply := await _next(replies, sending)) is not None:
                yield reply
        finally:
            sending.cancel()
            await asyncio.wait({sending})
            call.left()


async def _next(replies: "asyncio.Queue[Message]", sending: "asyncio.Task[None]") -> Message | None:
    """The next reply; None at the end of a stream that ended well. Raises what ended it otherwise."""
    if replies.empty() and not sending.done():
        waiting = asyncio.create_task(replies.get(), name="graphql-next")
        try:
            await asyncio.wait({waiting, sending}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                return waiting.result()
        finally:
            waiting.cancel()
    if not replies.empty():
        return replies.get_nowait()
    sending.result()
    return None

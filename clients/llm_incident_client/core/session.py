"""One connection of an event stream: opens it, writes frames while there are credits, reads acknowledgements.

It ends with a return when everything was said, and with an exception when the connection broke. It never reconnects,
and never decides whether an end is final: that is the stream's business.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

import grpc

from llm_incident_client import pb
from llm_incident_client.core import wire
from llm_incident_client.core.tickets import Ticket
from llm_incident_client.core.window import Opening, StreamConfused, Window


class Call(Protocol):
    """A running StreamEvents call that takes serialised requests and gives parsed replies."""

    def write(self, request: bytes) -> Awaitable[None]:
        """Sends one message."""

    def read(self) -> Awaitable[Any]:
        """The next reply, or grpc.aio.EOF."""

    def done_writing(self) -> Awaitable[None]:
        """Says that nothing more will be sent."""

    def cancel(self) -> bool:
        """Ends the call at once."""


class Pace:
    """When a frame is cut: as soon as one is full, or `linger` after the first event that waits."""

    def __init__(self, window: Window[Any], linger: timedelta, frame_events: int, frame_bytes: int) -> None:
        """`linger` trades latency for larger frames."""
        self.work = asyncio.Event()
        self.frame_events = frame_events
        self.frame_bytes = frame_bytes
        self._window = window
        self._linger = linger.total_seconds()
        self._timer: asyncio.TimerHandle | None = None
        self._due = False

    def added(self) -> None:
        """An event was added to the window."""
        if self._is_full():
            self.work.set()
        elif self._timer is None and not self._due:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self.hurry)

    def hurry(self) -> None:
        """Send what waits now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._due = True
        self.work.set()

    def resumed(self) -> None:
        """Credits arrived: go on if something was held back for want of them."""
        if self._due or self._is_full():
            self.work.set()

    def cut(self) -> None:
        """A frame was cut: what is left waits its own time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._window.queued:
            self.added()

    def is_ripe(self) -> bool:
        """Whether a frame should be cut now."""
        if not self._window.queued:
            self._due = False
        return self._due or self._is_full()

    def _is_full(self) -> bool:
        full = min(self.frame_events, self._window.max_frame_events)
        return self._window.queued >= full or self._window.queued_bytes >= self.frame_bytes


class Opened(Protocol):
    """Where to go on, as the server says it."""

    @property
    def epoch(self) -> int:
        """Number of the connection."""

    @property
    def last_sequence(self) -> int:
        """Number of the last committed event."""

    @property
    def credits(self) -> int:
        """How many events may be in flight."""

    @property
    def max_frame_events(self) -> int:
        """Largest frame."""


class Session:
    """Runs one call to its end. Make a new one for each connection."""

    def __init__(
        self,
        window: Window[Ticket],
        pace: Pace,
        *,
        settle: Callable[[list[tuple[Ticket, pb.EventResult]]], None],
        on_open: Callable[[Opening, int], None],
        on_drain: Callable[[], None],
    ) -> None:
        """`settle` gets every acknowledgement once; `on_open` the epoch; `on_drain` that the server is about to go."""
        self._window = window
        self._pace = pace
        self._settle = settle
        self._on_open = on_open
        self._on_drain = on_drain
        self._ending = False
        self._half_closed = False
        self.is_open = False
        self.progressed = False

    def finish(self) -> None:
        """Ends the call in good order once nothing is in flight."""
        self._ending = True
        self._pace.work.set()

    async def run(self, call: Call, opening: bytes, patience: timedelta) -> None:
        """Returns when the call ended after `finish` or a drain; otherwise raises what ended it.

        Raises grpc.aio.AioRpcError, TimeoutError after `patience` without an answer, StreamConfused, Overtaken.
        """
        self._call = call
        self._patience = patience.total_seconds()
        writer: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(self._patience) as self._timeout:
                await self._open(opening)
                writer = asyncio.create_task(self._write(), name="event-stream-writer")
                await self._read()
        finally:
            call.cancel()
            self._window.cut()
            if writer is not None:
                writer.cancel()
                await asyncio.wait((writer,))

    async def _open(self, opening: bytes) -> None:
        with contextlib.suppress(asyncio.InvalidStateError):  # already over: the read tells why
            await self._call.write(opening)
        reply = await self._call.read()
        opened = self._opened(reply) if isinstance(reply, pb.Message) else None
        if opened is None:
            raise StreamConfused("the server did not answer the first message as it should")
        how = self._window.opened(opened.last_sequence, opened.credits, opened.max_frame_events)
        self.is_open = True
        self._on_open(how, opened.epoch)
        self._pace.hurry()
        self._watch()

    def _opened(self, reply: Any) -> Opened | None:  # noqa: ANN401  # of the message that the call parses
        """What the answer to the first message says; None when it is another one."""
        if reply.WhichOneof("message") != "opened":
            return None
        opened: Opened = reply.opened
        return opened

    async def _read(self) -> None:
        while (reply := await self._call.read()) is not grpc.aio.EOF:
            match reply.WhichOneof("message"):
                case "acks":
                    self._take(reply.acks.first_sequence, reply.acks.results, reply.acks.credits)
                case "drain":
                    self._drain(reply.drain.grace.ToTimedelta())
                case other:
                    self._take_other(reply, other)
        if not self._ending:
            raise StreamConfused("the server ended the stream without a reason")

    def _take_other(self, reply: Any, kind: str | None) -> None:  # noqa: ANN401, ARG002  # as above
        """Whatever else the server may say in the middle of the stream: here nothing."""
        raise StreamConfused(f"the server sent {kind or 'an empty message'} in the middle of the stream")

    def _take(self, first_sequence: int, results: Sequence[pb.EventResult], credits_given: int) -> None:
        settled = self._window.acknowledged(first_sequence, results, credits_given)
        self.progressed = self.progressed or bool(settled)
        self._settle(settled)
        if self._ending:
            self._pace.work.set()
        else:
            self._watch()
            self._pace.resumed()

    def _drain(self, grace: timedelta) -> None:
        if not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + grace.total_seconds() + 1.0)
        self._on_drain()
        self.finish()

    def _watch(self) -> None:
        """The server owes an answer while something is in flight, and nothing while not."""
        if self._timeout.expired():
            return
        now = asyncio.get_running_loop().time()
        self._timeout.reschedule(now + self._patience if self._is_owed() else None)

    def _is_owed(self) -> bool:
        return self._window.in_flight > 0

    async def _write(self) -> None:
        # When the call is over the reader learns why; the writer merely stops.
        with contextlib.suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):
            while not self._half_closed:
                await self._pace.work.wait()
                self._pace.work.clear()
                await self._write_frames()
                if self._ending and not self._window.in_flight:
                    self._half_closed = True
                    await self._call.done_writing()

    async def _write_frames(self) -> None:
        while (message := self._next_message()) is not None:
            await self._call.write(message)

    def _next_message(self) -> bytes | None:
        """What is to be sent now; None when it has to wait: for more events, or for credits."""
        pace = self._pace
        if self._ending or not pace.is_ripe():
            return None
        idle = not self._window.in_flight
        frame = self._window.next_frame(pace.frame_events, pace.frame_bytes)
        if frame is None:
            return None  # out of credits: an acknowledgement brings new ones
        pace.cut()
        if idle:
            self._watch()
        return wire.frame(frame.first_sequence, frame.payloads)

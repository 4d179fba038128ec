"""The durable event stream: hand events over, get each one's result, whatever happens to connection or server.

It reconnects by itself, sends again all that was not acknowledged, and bounds what it holds. It never drops an event
silently: each future ends with the event's result or with the error that ended the stream.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from types import TracebackType
from typing import Self

import grpc

from llm_incident_client import pb
from llm_incident_client.core import errors, retry, tickets, wire
from llm_incident_client.core.options import Phase, StreamOptions, StreamState
from llm_incident_client.core.session import Call, Pace, Session
from llm_incident_client.core.tickets import Ticket
from llm_incident_client.core.window import Opening, Overtaken, StreamConfused, Window

MAX_EVENT_BYTES = 4 * 1024 * 1024 - 4096
"""Largest serialised event that fits a message the server takes."""

# Broken transports also show as these, then without a reason of ours. Resending by sequence number is safe.
_BROKEN_TRANSPORT = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN})
_GOODBYE = 5.0  # seconds the server has to end a stream on which everything was said


class StreamFull(Exception):
    """As many events are unacknowledged as the stream may hold: await `send`, or come back later."""


class EventStream:
    """An ordered stream of events from one producer. Use it as an async context manager, from one event loop."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Call]],
        producer_id: str,
        options: StreamOptions | None = None,
        renews: Callable[[errors.IncidentManagerError], bool] = lambda _: False,
    ) -> None:
        """`connect` starts a StreamEvents call. A producer id may be in use by one stream at a time.

        `renews` says whether the next call brings another credential than the one this error refused.
        """
        self.producer_id = producer_id
        self._connect = connect
        self._renews = renews
        self._options = options = options or StreamOptions()
        self._window: Window[Ticket] = Window(options.max_unacknowledged, options.max_unacknowledged_bytes)
        self._pace = Pace(self._window, options.linger, options.frame_events, options.frame_bytes)
        self._session: Session | None = None
        self._task: asyncio.Task[None] | None = None
        self._error: errors.IncidentManagerError | None = None
        self._closing = False
        self._added = 0
        self._settled = 0
        self._room: deque[asyncio.Future[None]] = deque()
        self._flushes: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def __aenter__(self) -> Self:
        """Starts connecting in the background."""
        self._task = asyncio.create_task(self._run(), name=f"event-stream-{self.producer_id}")
        self._task.add_done_callback(self._crashed)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sends and awaits all that was handed over; after an exception drops it instead."""
        await self.aclose(None if kind is None else timedelta(0))

    @property
    def unacknowledged(self) -> int:
        """How many events have no result yet."""
        return len(self._window)

    def send_nowait(self, event: pb.Event) -> asyncio.Future[pb.EventResult]:
        """Hands an event over and returns the future of its result.

        Raises StreamFull, ValueError for an event beyond MAX_EVENT_BYTES, IncidentManagerError once the stream ended.
        """
        payload = serialise(event)
        if not self._window.has_room():
            raise StreamFull(f"{len(self._window)} events are not acknowledged yet: await send() instead")
        ticket: asyncio.Future[pb.EventResult] = asyncio.get_running_loop().create_future()
        self._add(payload, ticket)
        return ticket

    async def send(self, event: pb.Event) -> asyncio.Future[pb.EventResult]:
        """Like `send_nowait`, but waits while the stream is full."""
        ticket: asyncio.Future[pb.EventResult] = asyncio.get_running_loop().create_future()
        await self.put(serialise(event), ticket)
        return ticket

    async def send_many(self, events: Iterable[pb.Event]) -> asyncio.Future[list[pb.EventResult]]:
        """Hands many events over, waiting whenever the stream is full; one future gives all results in order.

        Raises ValueError for an event that is too large; those before it are in the stream by then.
        """
        results: asyncio.Future[list[pb.EventResult]] = asyncio.get_running_loop().create_future()
        batch = tickets.Batch(results)
        for event in events:
            payload = serialise(event)
            batch.expect()
            await self.put(payload, batch)
        batch.complete()
        return results

    async def put(self, payload: bytes, ticket: Ticket) -> None:
        """Hands over what `serialise` made, waiting while the stream is full; the ticket gets the result."""
        if not self._window.has_room():
            await self._wait_for_room()
        self._add(payload, ticket)

    async def flush(self) -> None:
        """Returns when every event handed over so far has its result. Raises the error that ended the stream."""
        self._check()
        if self._settled == self._added:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushes.append((self._added, done))
        self._pace.hurry()
        await done

    async def aclose(self, within: timedelta | None = None) -> None:
        """Flushes within this time (None: as long as it takes), then ends the stream. A second call does nothing.

        Raises the error that ended the stream, or TimeoutError when time was up; what is left fails with StreamClosed.
        """
        if self._closing:
            return
        try:
            if within != timedelta(0):
                async with asyncio.timeout(None if within is None else within.total_seconds()):
                    await self.flush()
        finally:
            self._closing = True
            await self._stop()

    async def _stop(self) -> None:
        if self._task is not None and not self._task.done():
            if self._session is not None and self._session.is_open and not len(self._window):
                self._session.finish()
                await asyncio.wait((self._task,), timeout=_GOODBYE)
            self._task.cancel()
            await asyncio.wait((self._task,))
        if self._error is None:
            self._end(errors.StreamClosed(), Phase.CLOSED)

    # -- handing over ------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._closing:
            raise errors.StreamClosed
        if self._task is None:
            raise RuntimeError("the stream is not running: use `async with client.event_stream(...) as stream`")

    def _add(self, payload: bytes, ticket: Ticket) -> None:
        self._check()
        self._window.add(payload, ticket)
        self._added += 1
        self._pace.added()

    async def _wait_for_room(self) -> None:
        while not self._window.has_room():
            self._check()
            self._pace.hurry()
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._room.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                self._admit()  # the place may have been given to us: it is for the next one
                raise

    def _admit(self) -> None:
        """Wakes those who wait for room, one for each place; they look again before they add."""
        places = self._options.max_unacknowledged - len(self._window) if self._window.has_room() else 0
        while self._room and places > 0:
            waiter = self._room.popleft()
            if not waiter.done():
                waiter.set_result(None)
                places -= 1

    # -- results -----------------------------------------------------------------------------------------------------

    def _settle(self, settled: list[tuple[Ticket, pb.EventResult]]) -> None:
        for ticket, result in settled:
            if not ticket.done():
                ticket.set_result(result)
        self._settled += len(settled)
        while self._flushes and self._flushes[0][0] <= self._settled:
            flushed = self._flushes.popleft()[1]
            if not flushed.done():
                flushed.set_result(None)
        self._admit()

    def _end(self, error: errors.IncidentManagerError, phase: Phase, failures: int = 0) -> None:
        self._error = error
        for waiter in (*self._room, *(flushed for _, flushed in self._flushes)):
            tickets.fail(waiter, error)
        self._room.clear()
        self._flushes.clear()
        for ticket in self._window.clear():
            tickets.fail(ticket, error)
        self._tell(StreamState(phase, failures=failures, error=None if phase is Phase.CLOSED else error))

    def _crashed(self, task: asyncio.Task[None]) -> None:
        """Whatever else goes wrong, for instance in a token source, reaches those who wait."""
        cause = None if task.cancelled() else task.exception()
        if cause is not None and self._error is None:
            error = errors.IncidentManagerError(grpc.StatusCode.UNKNOWN, f"the stream broke: {cause!r}")
            error.__cause__ = cause
            self._end(error, Phase.FAILED)

    # -- connections -------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        failures, lost_at, renewed = 0, loop.time(), False
        while not self._closing:
            self._tell(StreamState(Phase.CONNECTING, failures=failures))
            error, progressed = await self._attempt()
            if progressed:
                failures, lost_at, renewed = 0, loop.time(), False
            failures += 1
            delay = retry.wait_for(self._options.backoff, failures, error.retry_after, retry.draw_jitter())
            again = not renewed and self._renews(error)
            renewed = renewed or again
            if not (again or _may_resume(error)) or self._is_hopeless(loop.time() + delay - lost_at):
                self._end(error, Phase.FAILED, failures)
                return
            if not self._closing:
                self._tell(StreamState(Phase.WAITING, failures=failures, error=error, retry_in=delay))
                await asyncio.sleep(delay)

    def _is_hopeless(self, seconds: float) -> bool:
        limit = self._options.give_up_after
        return limit is not None and seconds > limit.total_seconds()

    async def _attempt(self) -> tuple[errors.IncidentManagerError, bool]:
        """One connection, to its end: what ended it, and whether it got anywhere."""
        self._session = session = self._new_session()
        try:
            await session.run(await self._connect(), self._opening(), self._options.patience)
            error: errors.IncidentManagerError = _unavailable("the server is going away")
        except grpc.aio.AioRpcError as cause:
            error = errors.from_rpc(cause)
        except TimeoutError:
            error = _unavailable(f"no answer for {self._options.patience.total_seconds():g} s")
        except StreamConfused as cause:
            error = _unavailable(str(cause))
        except Overtaken as cause:
            error = errors.ProducerFenced(grpc.StatusCode.ABORTED, str(cause), "PRODUCER_FENCED")
            error.__cause__ = cause
        finally:
            self._session = None
        return error, session.progressed or (session.is_open and not len(self._window))

    def _new_session(self) -> Session:
        return Session(self._window, self._pace, settle=self._settle, on_open=self._opened, on_drain=self._draining)

    def _opening(self) -> bytes:
        return wire.opening(self.producer_id)

    def _draining(self) -> None:
        self._tell(StreamState(Phase.DRAINING))

    def _opened(self, opening: Opening, epoch: int) -> None:
        self._tell(StreamState(Phase.OPEN, epoch=epoch, opening=opening))

    def _tell(self, state: StreamState) -> None:
        if self._options.on_state is not None:
            self._options.on_state(state)


def serialise(event: pb.Event) -> bytes:
    """An event as it travels. Raises ValueError when it is larger than MAX_EVENT_BYTES."""
    payload = event.SerializeToString()
    if len(payload) > MAX_EVENT_BYTES:
        raise ValueError(f"the event is {len(payload)} bytes, the most is {MAX_EVENT_BYTES}: shorten its texts")
    return payload


def _unavailable(message: str) -> errors.IncidentManagerError:
    return errors.Unavailable(grpc.StatusCode.UNAVAILABLE, message)


def _may_resume(error: errors.IncidentManagerError) -> bool:
    return retry.is_repeatable(error) or (not error.reason and error.code in _BROKEN_TRANSPORT)

"""The durable event stream for threads: the asynchronous stream, fed through an inbox."""

import asyncio
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

from llm_incident_client import pb
from llm_incident_client.core import errors, stream, tickets
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.inbox import Inbox, Item

MOST_HANDED_OVER = 500
"""Events on their way to the client's thread, besides the `max_unacknowledged` of the stream itself."""


class EventStream:
    """An ordered stream of events from one producer. Use it in a `with` block, from any number of threads.

    Results are futures (concurrent.futures): `.result(timeout=…)` waits for one. An event that was handed over cannot
    be taken back, so cancelling its future has no effect.
    """

    def __init__(self, owner: Blocking, inner: stream.EventStream) -> None:
        """`inner` lives in the owner's thread, and the owner as long as this does."""
        self.producer_id = inner.producer_id
        self._owner = owner
        self._inner = inner
        self._work, self._idle = asyncio.Event(), asyncio.Event()
        self._carrying: asyncio.Task[None] | None = None
        self._taken: deque[Item] = deque()
        self._inbox = Inbox(lambda: owner.portal.soon(self._work.set), MOST_HANDED_OVER // 2)  # the rest is in _taken

    def __enter__(self) -> Self:
        """Starts connecting in the background."""
        self._owner.portal.wait(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sends all that was handed over and waits for the results; after an exception drops it instead."""
        self.close(None if kind is None else timedelta(0))

    @property
    def unacknowledged(self) -> int:
        """How many events have no result yet."""
        return len(self._inbox) + len(self._taken) + self._inner.unacknowledged

    def send(self, event: pb.Event, timeout: float | None = None) -> "Future[pb.EventResult]":
        """Hands an event over, waiting while the stream is full, and returns the future of its result.

        Raises StreamFull after `timeout` seconds without room, ValueError for an event beyond MAX_EVENT_BYTES,
        IncidentManagerError once the stream has ended.
        """
        payload = stream.serialise(event)
        result: Future[pb.EventResult] = _future()
        self._put(Item(partial(self._inner.put, payload, result), result), timeout)
        return result

    def send_many(self, events: Iterable[pb.Event]) -> "Future[list[pb.EventResult]]":
        """Hands many events over, waiting whenever the stream is full; one future gives all results in order.

        Raises ValueError for an event that is too large; those before it are in the stream by then.
        """
        results: Future[list[pb.EventResult]] = _future()
        batch = tickets.Batch(results)
        for event in events:
            self._put(Item(partial(_put_one, self._inner, stream.serialise(event), batch), results))
        self._put(Item(partial(_complete, batch), results))
        return results

    def flush(self) -> None:
        """Returns when every event handed over so far has its result. Raises the error that ended the stream."""
        done: Future[None] = _future()
        self._put(Item(partial(_settle, done), done))
        self._owner.portal.wait(self._flush(done))

    def close(self, within: timedelta | None = None) -> None:
        """Flushes within this time (None: as long as it takes), then ends the stream. A second call does nothing.

        Raises the error that ended the stream, or TimeoutError when time was up; what is left fails with StreamClosed.
        """
        self._owner.portal.wait(self._close(within))

    def _put(self, item: Item, timeout: float | None = None) -> None:
        if self._carrying is None:
            raise RuntimeError("the stream is not running: use `with client.event_stream(...) as stream`")
        self._owner.portal.check()
        if not self._inbox.put(item, timeout):
            raise stream.StreamFull(f"{self.unacknowledged} events are not acknowledged yet, and no room came in time")

    # -- in the client's thread --------------------------------------------------------------------------------------

    async def _open(self) -> None:
        await self._inner.__aenter__()
        self._carrying = asyncio.create_task(self._carry(), name=f"event-inbox-{self.producer_id}")
        self._carrying.add_done_callback(lambda _: self._drop())  # it may be cancelled before it begins

    async def _carry(self) -> None:
        """Moves what threads put into the inbox to the stream, until cancelled; then ends the stream."""
        try:
            while True:
                self._taken.extend(self._inbox.take())
                while self._taken:
                    await self._do(self._taken[0])
                    self._taken.popleft()
                await asyncio.sleep(0)  # threads may fill the inbox for ever: frames are written in between
                if not len(self._inbox):
                    self._idle.set()
                    await self._work.wait()
                    self._work.clear()
        finally:
            self._drop()
            await self._inner.aclose(timedelta(0))

    def _drop(self) -> None:
        """Takes nothing more, and tells those whose events did not reach the stream."""
        closed = errors.StreamClosed()
        self._inbox.refuse(closed)
        for item in (*self._taken, *self._inbox.take()):
            tickets.fail(item.waiting, closed)
        self._taken.clear()

    async def _do(self, item: Item) -> None:
        try:
            await item.work()
        except errors.IncidentManagerError as error:  # the stream has ended: it refuses whatever follows as well
            self._inbox.refuse(error)
            tickets.fail(item.waiting, error)

    async def _flush(self, done: "Future[None]") -> None:
        await asyncio.wrap_future(done)
        await self._inner.flush()

    async def _close(self, within: timedelta | None) -> None:
        if self._carrying is None or self._carrying.done():
            return
        self._inbox.refuse(errors.StreamClosed())
        try:
            if within != timedelta(0):
                async with asyncio.timeout(None if within is None else within.total_seconds()):
                    await self._empty()
                    await self._inner.flush()
        finally:
            self._carrying.cancel()
            await asyncio.wait((self._carrying,))

    async def _empty(self) -> None:
        """Returns when everything in the inbox is in the stream."""
        self._idle.clear()
        self._work.set()
        await self._idle.wait()


async def _put_one(inner: stream.EventStream, payload: bytes, batch: tickets.Batch) -> None:
    batch.expect()
    await inner.put(payload, batch)


async def _complete(batch: tickets.Batch) -> None:
    batch.complete()


async def _settle(done: "Future[None]") -> None:
    done.set_result(None)


def _future() -> "Future[Any]":
    """A future that nobody can cancel, since what it stands for is on its way."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future

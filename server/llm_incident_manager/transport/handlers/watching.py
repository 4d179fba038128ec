"""Follows the change feed for one caller: changes, heartbeats while nothing happens, and a farewell."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from incidentmanager.v1 import incident_pb2

from llm_incident_manager.domain import scope
from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.ports.stores import FeedItem, Position
from llm_incident_manager.transport import resume
from llm_incident_manager.transport.drain import Drain
from llm_incident_manager.transport.translate import incidents as translate
from llm_incident_manager.transport.translate.incidents import AsOf
from llm_incident_manager.usecases import sending
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.sending import Hold
from llm_incident_manager.usecases.watch import Feed

HEARTBEAT_SECONDS = 15.0
SHARED = 64
MESSAGES_BYTES = 4 * sending.KIB * sending.KIB
"""Changes whose messages are kept for the next watcher, and the bytes of these. Those that are told now are of now."""


class Watching:
    """Turns feed items into messages of a watch."""

    def __init__(self, feed: Feed, as_of: Callable[[], AsOf], drain: Drain) -> None:
        """Stops when the drain begins. `as_of` is asked for each message."""
        self._feed = feed
        self._as_of = as_of
        self._drain = drain
        self._made: dict[int, tuple[FeedItem, incident_pb2.IncidentChange]] = {}
        self._size = 0

    async def follow(
        self, caller: Caller, after: Position, matching: Filter | None, hold: Hold = sending.unbounded
    ) -> AsyncGenerator[incident_pb2.IncidentChange, None]:
        """Messages until the drain begins. The first is a heartbeat with the token of the start, the last says that
        the server drains and carries the token to go on with elsewhere. `hold` gives room for them."""
        position = after
        yield self._message(position)
        seen = scope.narrowed(caller.condition, matching)
        items = self._feed.changes(caller.tenant, after, seen, HEARTBEAT_SECONDS, hold)
        farewell = asyncio.create_task(self._drain.wait(), name="watch-drain")
        try:
            while (found := await _next(items, farewell)) is not None:
                position = found.position if isinstance(found, FeedItem) else found
                yield self._message(found)
            yield incident_pb2.IncidentChange(drain=True, resume_token=resume.token(position))
        finally:
            farewell.cancel()

    def _message(self, found: FeedItem | Position) -> incident_pb2.IncidentChange:
        if isinstance(found, FeedItem):
            return self._change(found)
        return incident_pb2.IncidentChange(heartbeat=True, resume_token=resume.token(found))

    def _change(self, item: FeedItem) -> incident_pb2.IncidentChange:
        """One message for all watchers who are told of the same change at the same time. Nobody changes it."""
        made = self._made.get(id(item))
        if made is None:
            if len(self._made) >= SHARED or self._size > MESSAGES_BYTES:
                self._made.clear()
                self._size = 0
            message = translate.change(item.incident, item.kind, resume.token(item.position), self._as_of())
            self._size += message.ByteSize()
            made = self._made[id(item)] = item, message  # the item stays with it, so that its id is no other's
        return made[1]


async def _next(items: AsyncIterator[FeedItem | Position], farewell: asyncio.Task[None]) -> FeedItem | Position | None:
    """The next item, or None once the drain has begun. Never leaves a read behind."""
    reading = asyncio.ensure_future(anext(items))
    try:
        await asyncio.wait({reading, farewell}, return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else None
    finally:
        if not reading.done():
            reading.cancel()
            await asyncio.wait({reading})

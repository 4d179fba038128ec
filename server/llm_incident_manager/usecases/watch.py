"""Who wants to see changes: a watcher is a position in the feed, so it is resumable without gap or repeat and costs
no queue. Recent changes are read once and shared by all watchers of the process."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.stores import FeedItem, Position, Store
from llm_incident_manager.telemetry import logs
from llm_incident_manager.usecases import sending
from llm_incident_manager.usecases.sending import Hold
from llm_incident_manager.usecases.waiting_watchers import WaitingWatchers, Watcher

RECENT = 2_000
RECENT_BYTES = 32 * sending.KIB * sending.KIB
"""Changes that are kept for all watchers, and what they may take in memory."""
PAGE = 500
PAGE_BYTES = 4 * sending.KIB * sending.KIB
"""Changes read for them at once, and what these may take, about: after large ones fewer are read."""
BEHIND_READS = 4
"""Watchers behind the recent ones that may be reading, or wait for room for what they have read: they must not take
the database and the memory from others."""
POLL_SECONDS = 1.0
HELD_BACK_SECONDS = 0.01, 0.1
"""While a running transaction holds back changes that are committed: the first look, and the rarest."""


class _Recent(NamedTuple):
    item: FeedItem
    weight: int


class Feed:
    """The tail of the change feed as this process sees it. `run` has to be started as a task."""

    def __init__(
        self, store: Store, poll: float = POLL_SECONDS, recent: int = RECENT, recent_bytes: int = RECENT_BYTES
    ) -> None:
        """Reads from this store, at least every `poll` seconds, and keeps so many changes for all watchers."""
        self._store = store
        self._poll = poll
        self._most, self._most_bytes = recent, recent_bytes
        self._watchers = 0
        self._waiting = WaitingWatchers()
        self.behind = asyncio.Semaphore(BEHIND_READS)
        self._page_size = PAGE
        self._recent: deque[_Recent] = deque()
        self._bytes = 0
        self._since: Position | None = None  # behind it nothing is missing among the recent ones
        self._wake = asyncio.Event()
        self._log = logs.get("watch")

    def wake(self) -> None:
        """Something was committed: look at once instead of at the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Follows the feed until cancelled, while somebody watches; an unreachable database is waited for."""
        tail: Position | None = None
        patience = HELD_BACK_SECONDS[0]
        while True:
            self._wake.clear()
            items: Sequence[FeedItem] = ()
            if not self._watchers:
                tail = self._since = None
                self._recent.clear()
                self._bytes = 0
            else:
                tail, items = await self._read(tail)
            if items:
                self._publish(items)
            elif self._watchers and not await self._settled():
                await asyncio.sleep(patience)
                patience = min(2 * patience, HELD_BACK_SECONDS[1])
                continue
            else:
                await _wait(self._wake, self._poll)
            patience = HELD_BACK_SECONDS[0]

    async def _settled(self) -> bool:
        try:
            return await self._store.feed_settled()
        except DomainError:  # whoever reads the feed next says so
            return True

    async def _read(self, tail: Position | None) -> tuple[Position | None, Sequence[FeedItem]]:
        try:
            if tail is None:
                tail = self._since = await self._store.feed_position()
                self._publish(())  # whoever looked before this position has to look once more
            items = await self._store.feed_after(None, tail, self._page_size)
        except DomainError as error:
            self._log.warning("feed.unavailable", error=error.message)
            return tail, ()
        return (items[-1].position if items else tail), items

    async def position(self) -> Position:
        """Where a watcher starts that wants only what comes from now on."""
        return await self._store.feed_position()

    async def resumed(self, position: Position) -> Position:
        """The position itself. Raises INVALID_RESUME_TOKEN for one that this database has not come to: it is of another
        one, or of a moment behind the backup that was restored, and whoever waited there would miss changes."""
        if position > await self._store.feed_position():
            message = (
                "resume_token is of another database, or of a time behind a restored backup: watch again without it, "
                "with snapshot to learn the present state"
            )
            raise DomainError(ErrorReason.INVALID_RESUME_TOKEN, message)
        return position

    async def changes(
        self,
        tenant: TenantId,
        after: Position,
        matching: Filter | None,
        idle: float,
        hold: Hold = sending.unbounded,
    ) -> AsyncIterator[FeedItem | Position]:
        """The tenant's matching changes behind a position, for ever. After `idle` seconds without any, the bare
        position: the caller can say that it is alive, and its watcher can resume further on. `hold` gives room for what
        the watcher is told next."""
        watcher, loop = Watcher(tenant, after, matching), asyncio.get_running_loop()
        self._watchers += 1
        self.wake()
        try:
            due = loop.time() + idle
            while True:
                seen = self._waiting.round
                page = await self._page(tenant, watcher.position, hold)
                for item in page:
                    watcher.position = item.position
                    if watcher.wants(item):
                        yield item
                        due = loop.time() + idle
                if not page:
                    await self._waiting.wait(watcher, seen, due)
                if loop.time() >= due:
                    yield watcher.position
                    due = loop.time() + idle
        finally:
            self._watchers -= 1

    async def _page(self, tenant: TenantId, after: Position, hold: Hold) -> Sequence[FeedItem]:
        if self._since is not None and self._since <= after:
            newer = takewhile(lambda each: each.item.position > after, reversed(self._recent))
            page, size = sending.first([each for each in newer if each.item.incident.tenant == tenant][::-1])
            await hold(size)
            return page
        async with self.behind:
            found = await self._store.feed_after(tenant, after, sending.PAGE)
            page, size = sending.first((item, sending.weight(item.incident)) for item in found)
            del found  # only the page has its room
            await hold(size)
            return page

    def _publish(self, items: Sequence[FeedItem]) -> None:
        read = [_Recent(item, sending.weight(item.incident)) for item in items]
        self._recent.extend(read)
        size = sum(each.weight for each in read)
        if size:
            self._page_size = max(sending.PAGE, min(PAGE, len(read) * PAGE_BYTES // size))
        self._bytes += size
        while len(self._recent) > self._most or self._bytes > self._most_bytes:
            gone = self._recent.popleft()
            self._bytes -= gone.weight
            self._since = gone.item.position
        self._waiting.tell(items)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event comes, at most this long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return

"""Watchers who have been told all there is. When something happens only those are woken whom it concerns: to look at a
change with the eyes of a thousand takes less time than to wake them all for nothing."""

import asyncio
from collections.abc import Sequence

from llm_incident_manager.domain import filter_match
from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.stores import FeedItem, Position

MOST_LOOKS = 4_000
"""At once, about 10 ms in which nobody else is served. Beyond that everybody looks for himself."""


class Watcher:
    """Somebody who follows a tenant's changes; `position` is up to where."""

    __slots__ = ("_matching", "_tenant", "position", "woken")

    def __init__(self, tenant: TenantId, position: Position, matching: Filter | None) -> None:
        """Wants what matches, or everything."""
        self._tenant, self._matching = tenant, matching
        self.position = position
        self.woken: asyncio.Future[None] | None = None

    def wants(self, item: FeedItem) -> bool:
        """Whether a change of its tenant matches."""
        return self._matching is None or filter_match.matches(self._matching, item.incident)

    def is_concerned(self, items: Sequence[FeedItem]) -> bool:
        """Whether there is anything among these that it has not been told of and wants."""
        return any(
            item.position > self.position and item.incident.tenant == self._tenant and self.wants(item)
            for item in items
        )

    def wake(self) -> None:
        """Ends its waiting."""
        if self.woken is not None and not self.woken.done():
            self.woken.set_result(None)


class WaitingWatchers:
    """Those who wait now. `round` changes with each time that there is something."""

    def __init__(self) -> None:
        """Nobody waits."""
        self.round = 0
        self._watchers: set[Watcher] = set()

    async def wait(self, watcher: Watcher, seen: int, due: float) -> None:
        """Returns when there is something for the watcher, or at `due` (the loop's time). `seen` is the round in which
        it last looked for itself: what came since then it has to look at first."""
        if seen != self.round:
            return
        loop = asyncio.get_running_loop()
        watcher.woken = loop.create_future()
        timer = loop.call_at(due, watcher.wake)
        self._watchers.add(watcher)
        try:
            await watcher.woken
        finally:
            timer.cancel()
            self._watchers.discard(watcher)

    def tell(self, items: Sequence[FeedItem]) -> None:
        """There is something: these items, in order; or none, then everybody looks for himself. Whom they do not
        concern is past them without having been woken."""
        self.round += 1
        for_all = not items or len(items) * len(self._watchers) > MOST_LOOKS
        for watcher in self._watchers:
            if for_all or _is_concerned(watcher, items):
                watcher.wake()
            else:
                watcher.position = max(watcher.position, items[-1].position)


def _is_concerned(watcher: Watcher, items: Sequence[FeedItem]) -> bool:
    try:
        return watcher.is_concerned(items)
    except Exception:  # noqa: BLE001  # the watcher looks for itself, and fails alone
        return True

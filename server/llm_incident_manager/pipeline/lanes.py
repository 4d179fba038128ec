"""Several batches side by side, for a database that commits more than one at once. Without threads: one event loop."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.ports.changes import FingerprintKey

Waiting = tuple[Submission, "asyncio.Future[None]"]


class Lane:
    """What waits for one of the batches under way. Order is kept, so whoever stays in a lane commits in order."""

    def __init__(self, batch_events: int, linger: float) -> None:
        """A batch has at most `batch_events`, unless one submission is larger, and waits `linger` seconds for more."""
        self._batch_events = batch_events
        self._linger = linger
        self._waiting: deque[Waiting] = deque()
        self._events = 0
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()

    def add(self, waiting: Waiting) -> None:
        """Puts it behind all others."""
        self._waiting.append(waiting)
        self._events += len(waiting[0].events)
        self._arrived.set()
        if self._events >= self._batch_events:
            self._full.set()

    async def batch(self) -> None:
        """Waits until a batch is full, or `linger` after its first."""
        await self._arrived.wait()
        if self._events >= self._batch_events or self._linger <= 0:
            return
        try:
            async with asyncio.timeout(self._linger):
                await self._full.wait()
        except TimeoutError:
            return

    def take(self, events: int = 0) -> list[Waiting]:
        """The next batch, or what still goes into one that has so many events."""
        taken: list[Waiting] = []
        while self._waiting and (not events or events + len(self._waiting[0][0].events) <= self._batch_events):
            taken.append(self._waiting.popleft())
            events += len(taken[-1][0].events)
            self._events -= len(taken[-1][0].events)
        if not self._waiting:
            self._arrived.clear()
        if self._events < self._batch_events:
            self._full.clear()
        return taken

    def take_all(self) -> list[Waiting]:
        """Everything, when nothing will be committed any more."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._events = 0
        return taken


class Crossing:
    """Lets batches pass side by side when they have no fingerprint in common, else one after the other: the database
    would make the second one wait with locks in its hands, or decide anew."""

    def __init__(self) -> None:
        """Nobody is on it."""
        self._busy: set[FingerprintKey] = set()
        self._turn = asyncio.Lock()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def passing(self, fill: Callable[[], Sequence[Submission]]) -> AsyncIterator[None]:
        """Waits until nobody has a fingerprint of the batch; first come, first served. `fill` gives the batch and is
        asked again after each wait, so that what came meanwhile goes along."""
        async with self._turn:
            while not self._busy.isdisjoint(keys := _fingerprints(fill())):
                self._left.clear()
                await self._left.wait()
            self._busy |= keys
        try:
            yield
        finally:
            self._busy -= keys
            self._left.set()


def _fingerprints(submissions: Sequence[Submission]) -> set[FingerprintKey]:
    return {key for submission in submissions for _, key in submission.identities}

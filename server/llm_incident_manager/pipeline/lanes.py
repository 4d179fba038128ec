"""Several batches side by side, for a database that commits more than one at once. Without threads: one event loop."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager

from llm_incident_manager.pipeline.waiting import Turns, Waiting
from llm_incident_manager.ports.changes import FingerprintKey

BUSY_EVENTS = 32
SPACING_SECONDS = 0.02
"""Behind a batch of more than BUSY_EVENTS the next one of its lane begins so long after it at the earliest: under load
fewer, larger batches are less work. A caller who waits for each event before sending the next never notices."""


class Filling:
    """A batch that still grows. Bounded in events, and in fingerprints, since a new incident is many times the work of
    an event more of a known one; a submission that is larger than either goes alone."""

    def __init__(self, events: int, fingerprints: int) -> None:
        """Takes at most so many."""
        self._most = events, fingerprints
        self.waiting: list[Waiting] = []
        self.events = 0
        self.fingerprints: set[FingerprintKey] = set()

    def add(self, waiting: Waiting) -> bool:
        """Adds it if it still goes in; whether it did."""
        submission, events = waiting[0], self.events + len(waiting[0].events)
        more = {key for _, key in submission.identities} - self.fingerprints
        if self.waiting and (events > self._most[0] or len(self.fingerprints) + len(more) > self._most[1]):
            return False
        self.waiting.append(waiting)
        self.events = events
        self.fingerprints |= more
        return True


class Lane:
    """What waits for one of the batches under way. A producer's order is kept, so one that stays in a lane commits in
    order."""

    def __init__(self, enough: int, linger: float) -> None:
        """Once `enough` events wait, or `linger` seconds after the first, they may go."""
        self._enough = enough
        self._linger = linger
        self._turns = Turns()
        self._arrived = asyncio.Event()
        self._plenty = asyncio.Event()
        self._not_before = 0.0

    def add(self, waiting: Waiting) -> None:
        """Puts it behind those of its tenant and priority."""
        self._turns.add(waiting)
        self._arrived.set()
        if self._turns.events >= self._enough:
            self._plenty.set()

    async def ready(self) -> None:
        """Waits until there is enough for a batch, or anything and it has had its time."""
        await self._arrived.wait()
        if self._turns.events >= self._enough or self._linger <= 0:
            return
        spacing = self._not_before - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(self._linger, spacing)):
                await self._plenty.wait()
        except TimeoutError:
            return

    def fill(self, batch: Filling) -> None:
        """Moves to a batch what goes into it."""
        self._turns.fill(batch.add)
        if batch.events > BUSY_EVENTS:
            self._not_before = asyncio.get_running_loop().time() + SPACING_SECONDS
        if not self._turns.waits:
            self._arrived.clear()
        if self._turns.events < self._enough:
            self._plenty.clear()

    def take_all(self) -> list[Waiting]:
        """Everything, when nothing will be committed any more."""
        batch = Filling(sys.maxsize, sys.maxsize)
        self._turns.fill(batch.add)
        return batch.waiting


class Crossing:
    """Lets batches pass side by side when they have no fingerprint in common, else one after the other: the database
    would make the second one wait with locks in its hands, or decide anew."""

    def __init__(self) -> None:
        """Nobody is on it."""
        self._busy: set[FingerprintKey] = set()
        self._turn = asyncio.Lock()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def passing(self, fill: Callable[[], AbstractSet[FingerprintKey]]) -> AsyncIterator[None]:
        """Waits until nobody has a fingerprint of the batch; first come, first served. `fill` tells the fingerprints
        and is asked again after each wait, so that what came meanwhile goes along."""
        async with self._turn:
            while not self._busy.isdisjoint(keys := fill()):
                self._left.clear()
                await self._left.wait()
            self._busy |= keys
        try:
            yield
        finally:
            self._busy -= keys
            self._left.set()

"""Idempotency keys seen lately, so that a repeat costs no look into the database. Holds only what is committed.

A repeat still gets its ledger row, in the same transaction as always: what is saved is reading its key (half of what a
repeat costs on PostgreSQL), and locking a fingerprint that it does not need. Each entry belongs to an incarnation of
the database, which the transaction itself compares: after a restore or a failover nothing of before counts.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from llm_incident_manager.domain.time import Instant
from llm_incident_manager.engines import dedup
from llm_incident_manager.pipeline.batch import Known, Submission
from llm_incident_manager.ports.changes import IdempotencyRow
from llm_incident_manager.ports.seen import Name, SharedSeen

MOST = 50_000
"""Keys of this process; one takes about 400 bytes."""
SHARED_SECONDS = 0.02
"""Time that others' keys may take: the database is not slower than that."""
FADING = 0.9
"""What the keys of earlier batches still count, batch for batch, in whether repeats are frequent."""


class Learned(NamedTuple):
    """What a commit has shown: keys borne first, and keys that the database knew already."""

    incarnation: str
    fresh: Sequence[IdempotencyRow]
    repeated: Sequence[IdempotencyRow]


class Seen:
    """The keys this process has seen, and behind them those of others while repeats are frequent."""

    def __init__(self, shared: SharedSeen | None = None, most: int = MOST) -> None:
        """Without `shared` this process keeps to itself. `most` keys are kept, the most recently seen ones."""
        self._shared = shared
        self._most = most
        self._rows: OrderedDict[Name, IdempotencyRow] = OrderedDict()
        self._incarnation = ""
        self._names, self._repeats = 0.0, 0.0
        self._telling: asyncio.Task[None] | None = None

    async def recall(self, submissions: Iterable[Submission], now: Instant) -> Known:
        """What is known of the submissions' keys; the database has to be asked for the others."""
        names = [(s.tenant, event.idempotency_key) for s in submissions for event in s.events if event.idempotency_key]
        if not names or not self._incarnation:
            return Known()
        found = {name: row for name in names if (row := self._recent(name, now)) is not None}
        if self._shared is not None and dedup.asks_others(self._names, self._repeats):
            found |= await self._ask(self._shared, [name for name in names if name not in found], now)
        return Known(self._incarnation, found)

    def learn(self, learned: Learned, known: Mapping[Name, IdempotencyRow]) -> None:
        """Takes in what a batch has shown that is committed; `known` is what it was told by `recall`."""
        if not learned.incarnation:
            return
        if learned.incarnation != self._incarnation:
            self._incarnation = learned.incarnation
            self._rows.clear()
        rows = [*known.values(), *learned.repeated, *learned.fresh]
        self._names = self._names * FADING + len(rows)
        self._repeats = self._repeats * FADING + len(rows) - len(learned.fresh)
        for row in rows:
            self._rows[row.tenant, row.key] = row
            self._rows.move_to_end((row.tenant, row.key))
        while len(self._rows) > self._most:
            self._rows.popitem(last=False)
        self._tell([*learned.repeated, *learned.fresh])

    def _recent(self, name: Name, now: Instant) -> IdempotencyRow | None:
        row = self._rows.get(name)
        return row if row is not None and dedup.still_counts(row.at, now) else None

    async def _ask(self, shared: SharedSeen, names: Sequence[Name], now: Instant) -> dict[Name, IdempotencyRow]:
        if not names:
            return {}
        try:
            async with asyncio.timeout(SHARED_SECONDS):
                found = await shared.find(self._incarnation, names)
        except TimeoutError:
            return {}
        return {name: row for name, row in found.items() if dedup.still_counts(row.at, now)}

    def _tell(self, rows: Sequence[IdempotencyRow]) -> None:
        """Tells others in the background, one batch at a time: what comes meanwhile is only not told."""
        busy = self._telling is not None and not self._telling.done()
        if self._shared is None or busy or not rows or not dedup.asks_others(self._names, self._repeats):
            return
        self._telling = asyncio.create_task(self._shared.keep(self._incarnation, rows), name="seen")

"""Takes due outbox rows and hands them to their stage or effect: after the commit, at least once, in lanes."""

import asyncio
from collections.abc import Callable, Sequence
from time import perf_counter  # a stop-watch for metrics, not a source of time
from typing import Protocol

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines import pacing
from llm_incident_manager.pipeline import failing
from llm_incident_manager.pipeline.buses import DatabaseBus
from llm_incident_manager.pipeline.meter import Meter
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.bus import Bus
from llm_incident_manager.ports.changes import Changes, OutboxRow
from llm_incident_manager.ports.stores import KeyTaken, StoreBroken
from llm_incident_manager.telemetry import logs, traces

LEASE_SECONDS = 57
"""Longer than any round takes: `notify` bounds its sends, and the database answers within its deadlines or fails. And
so short that the work of a lost process is under way again within a minute."""
LIMIT = 200
POLL_SECONDS = 1.0

SLOW_SECONDS = 0.5
"""A round that takes longer, as one does whose provider does not answer, goes on beside the next."""

MOST_ROUNDS = 4
"""So many rounds may be under way; then the next one waits for one of them."""

ALONE_SECONDS = 12
"""After a round has failed, its rows are tried alone; what has not begun by then is handed back within its lease."""


class Handler(Protocol):
    """A stage of AFTER_COMMIT or an effect: a module with a name, a topic and a function."""

    NAME: str
    TOPIC: str

    async def run(self, rows: Sequence[OutboxRow], tools: Tools) -> None:
        """Does the work of the rows and writes that it is done, or when to try again."""
        ...


class Pump:
    """Feeds one handler. A round that fails is done again row by row, and who fails alone is tried later, or given up.
    A slow round holds up nobody else's work: the lanes it has are its own, the others go on.

    While the database does not answer, nobody is to blame: the rows stay leased and come back when the lease runs out.
    """

    def __init__(
        self,
        handler: Handler,
        tools: Tools,
        owner: str,
        pressed: Callable[[], bool],
        *,
        bus: Bus | None = None,
        accepted: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`owner` names this process in leases; `pressed` says that ingest, or timers, need the database more; `bus`
        brings work, by default from the database; `accepted` tells how many events a second this process takes in."""
        self._handler = handler
        self._tools = tools
        self._owner = owner
        self._pressed = pressed
        self._bus = bus or DatabaseBus(tools.store)
        self._accepted = accepted
        self._done = Meter(tools.clock)
        self._taking = asyncio.Lock()  # a bus has one taker a topic
        self._log = logs.get("outbox")

    def wake(self) -> None:
        """Something was committed: look at once instead of at the next poll."""
        self._bus.wake(self._handler.TOPIC)

    async def run(self) -> None:
        """Works until cancelled."""
        under_way: set[asyncio.Task[int]] = set()
        try:
            while True:
                latest = asyncio.create_task(self._round(), name=f"round-{self._handler.NAME}")
                under_way.add(latest)
                await self._rest(await self._worked(latest, under_way))
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def once(self) -> int:
        """One round; returns how many rows were handled."""
        tools, now = self._tools, self._tools.clock.now()
        lease_until = Instant(now + LEASE_SECONDS * SECOND)
        async with self._taking:
            taken = await self._bus.take(self._handler.TOPIC, self._owner, now, lease_until, LIMIT)
        if taken.rows:
            started = perf_counter()
            parents = [row.traceparent for row in taken.rows if row.traceparent]
            try:
                with traces.span(f"stage.{self._handler.NAME}", {"rows": len(taken.rows)}, links=parents):
                    await self._handle(taken.rows, Instant(now + ALONE_SECONDS * SECOND))
            finally:
                self._bus.settle(self._handler.TOPIC, taken)
            tools.metrics.stage_ran(self._handler.NAME, perf_counter() - started)
        return len(taken.rows)

    async def _round(self) -> int:
        """As `once`, but only a broken store ends the pump."""
        try:
            return await self.once()
        except StoreBroken:
            raise
        except KeyTaken:
            return 1
        except Exception as error:  # noqa: BLE001  # one bad round must not end the pump; it is logged
            if isinstance(error, StoreUnavailable):
                self._tools.metrics.store_failed()
            self._log.error("outbox.failed", stage=self._handler.NAME, error=repr(error))
            return 0

    async def _worked(self, latest: asyncio.Task[int], under_way: set[asyncio.Task[int]]) -> int:
        """How much the latest round did; when it is slow and another may begin, that there was something to do."""
        while True:
            room = len(under_way) < MOST_ROUNDS
            limit = SLOW_SECONDS if room else None
            done, _ = await asyncio.wait(under_way, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            under_way -= done
            if latest in done:
                return sum(task.result() for task in done)
            self._done.add(sum(task.result() for task in done))
            if room and not done:
                return 1

    async def _handle(self, rows: Sequence[OutboxRow], begin_before: Instant) -> None:
        try:
            await self._handler.run(rows, self._tools)
        except (StoreBroken, StoreUnavailable, KeyTaken):
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is: it is counted, logged and kept with the row
            if len(rows) == 1:
                await self._failed(rows[0], error)
            else:
                await self._one_by_one(rows, begin_before)

    async def _one_by_one(self, rows: Sequence[OutboxRow], begin_before: Instant) -> None:
        """So that a row is blamed for its own failures only. The first is tried in any case, or nothing would move."""
        for at, row in enumerate(rows):
            if at and self._tools.clock.now() >= begin_before:
                late = Changes(outbox_retries=[failing.hand_back(each) for each in rows[at:]])
                async with self._tools.store.transaction() as tx:
                    await tx.write(late)
                return
            await self._handle([row], begin_before)

    async def _failed(self, row: OutboxRow, error: Exception) -> None:
        stage = self._handler.NAME
        self._log.error("outbox.row_failed", stage=stage, row=row.id, attempts=row.attempts + 1, error=repr(error))
        await failing.count(row, error, stage, self._tools)

    async def _rest(self, worked: int) -> None:
        self._done.add(worked)
        load = pacing.Load(self._pressed(), self._done.per_second(), self._accepted())
        rest = pacing.decide(worked, LIMIT, load, POLL_SECONDS)
        if rest.ends_with_news:
            await self._bus.wait(self._handler.TOPIC, rest.seconds)
        else:
            await self._tools.clock.sleep(rest.seconds)

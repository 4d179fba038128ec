"""Takes due outbox rows and hands them to their stage or effect: after the commit, at least once, in lanes."""

import asyncio
from collections.abc import Callable, Sequence
from time import perf_counter  # a stop-watch for metrics, not a source of time
from typing import Protocol

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.pipeline import failing
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.changes import Changes, OutboxRow
from llm_incident_manager.ports.stores import KeyTaken, StoreBroken
from llm_incident_manager.telemetry import logs, traces

LEASE_SECONDS = 60
"""Longer than any round takes: `notify` bounds its sends, and the database answers within its deadlines or fails."""
LIMIT = 200
POLL_SECONDS = 1.0
GATHER_SECONDS = 0.1
"""Between two rounds when the first took all there was: what comes meanwhile shares the next one's transactions."""

ALONE_SECONDS = 15
"""After a round has failed, its rows are tried alone; what has not begun by then is handed back within its lease."""

PAUSE_SECONDS = 0.5
"""Between two rounds while events wait for more than one batch: acknowledging comes first, and telling goes on."""


class Handler(Protocol):
    """A stage of AFTER_COMMIT or an effect: a module with a name, a topic and a function."""

    NAME: str
    TOPIC: str

    async def run(self, rows: Sequence[OutboxRow], tools: Tools) -> None:
        """Does the work of the rows and writes that it is done, or when to try again."""
        ...


class Pump:
    """Feeds one handler. A round that fails is done again row by row, and who fails alone is tried later, or given up.

    While the database does not answer, nobody is to blame: the rows stay leased and come back when the lease runs out.
    """

    def __init__(self, handler: Handler, tools: Tools, owner: str, pressed: Callable[[], bool]) -> None:
        """`owner` names this process in leases; `pressed` says that ingest needs the database more."""
        self._handler = handler
        self._tools = tools
        self._owner = owner
        self._pressed = pressed
        self._wake = asyncio.Event()
        self._log = logs.get("outbox")

    def wake(self) -> None:
        """Something was committed: look at once instead of at the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            self._wake.clear()
            try:
                worked = await self.once()
            except StoreBroken:
                raise
            except KeyTaken:
                worked = 1
            except Exception as error:  # noqa: BLE001  # one bad round must not end the pump; it is logged
                if isinstance(error, StoreUnavailable):
                    self._tools.metrics.store_failed()
                self._log.error("outbox.failed", stage=self._handler.NAME, error=repr(error))
                worked = 0
            if not worked:
                await self._rest()
            elif self._pressed():
                await self._tools.clock.sleep(PAUSE_SECONDS)
            elif worked < LIMIT:
                await self._tools.clock.sleep(GATHER_SECONDS)

    async def once(self) -> int:
        """One round; returns how many rows were handled."""
        tools, now = self._tools, self._tools.clock.now()
        lease_until = Instant(now + LEASE_SECONDS * SECOND)
        rows = await tools.store.claim_work(self._handler.TOPIC, self._owner, now, lease_until, LIMIT)
        if rows:
            started = perf_counter()
            parents = [row.traceparent for row in rows if row.traceparent]
            with traces.span(f"stage.{self._handler.NAME}", {"rows": len(rows)}, links=parents):
                await self._handle(rows, Instant(now + ALONE_SECONDS * SECOND))
            tools.metrics.stage_ran(self._handler.NAME, perf_counter() - started)
        return len(rows)

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

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return

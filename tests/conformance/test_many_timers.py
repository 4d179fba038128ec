"""Fault 23: ten thousand timers that are due in the same second, by the wall clock, while events come in."""

import asyncio
import sys
import time
from dataclasses import dataclass, field, replace

import pytest

from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import TARGETS
from llm_incident_manager.domain.time import MINUTE, SECOND, Instant
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.pipeline.timers import Timers
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.promises import KEY
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.ports.timers import TimerRow
from tests.support.backends import Backend
from tests.support.builders import make_event, make_incident, make_opening
from tests.support.sizes import FULL
from tests.support.steps import write
from tests.support.world import World, world_on

TIMERS = 10_000 if FULL else 2_000
FIRED_WITHIN = 15.0
INGEST_WITHIN = 1.0
"""Seconds, on a machine that has other work: that nothing stands still. The figures themselves are printed (`-s`)."""
BATCH = 20


@dataclass
class Ingest:
    """Batches one after the other with a breath between them, and how long each took."""

    world: World
    took: list[float] = field(default_factory=list)

    async def run(self) -> None:
        """Goes on until cancelled."""
        while True:
            started = time.perf_counter()
            await self.world.submit(*[make_event(dedup_key=f"k{n}") for n in range(BATCH)])
            self.took.append(time.perf_counter() - started)
            await asyncio.sleep(0.01)

    def p99(self) -> float:
        """Seconds, of all since the last time it was asked."""
        slow = sorted(self.took)[int(len(self.took) * 0.99)]
        self.took.clear()
        return slow


async def due_together(store: Store, due: Instant) -> None:
    """Incidents whose acknowledgement was promised for the same moment."""
    opened = Instant(due - 15 * MINUTE)
    for _ in range(TIMERS // 500):
        changes = Changes()
        for _ in range(500):
            incident = make_incident(severity=Severity.P1, created_at=opened, updated_at=opened)
            changes.absorb(make_opening(incident))
            changes.timers.append(TimerRow(incident.id, KEY, incident.tenant, TimerKind.SLA, due, opened))
        changes.outbox.clear()
        await write(store, changes)


@pytest.mark.slow
@pytest.mark.needs("durable", "alone")
async def test_all_fire_once_and_soon_and_ingest_goes_on(store: Store, backend: Backend) -> None:
    world = world_on(store, sla=TARGETS)
    lanes = 2 if store.kind == "postgresql" else 1
    world.tools = replace(world.tools, clock=(clock := SystemClock()), lanes=lanes)
    due = clock.now()
    await due_together(store, due)
    ingest = Ingest(world)
    tasks = [asyncio.create_task(ingest.run())]
    await asyncio.sleep(2)
    before, began = ingest.p99(), clock.now()
    tasks.append(asyncio.create_task(Timers(world.tools, "test").run()))
    async with asyncio.timeout(60):
        while (await store.overdue_timers(began)).count:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.05)
    meanwhile = ingest.p99()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    told = await backend.query(store, "SELECT incident_id, at FROM timeline WHERE kind = 'SLA_BREACHED'")
    assert (len(told), len({incident for incident, _ in told})) == (TIMERS, TIMERS)
    late = sorted((at - began) / SECOND for _, at in told)
    took = f"{store.kind}: {TIMERS} fired in {late[-1]:.2f} s, p99 {late[int(TIMERS * 0.99)]:.2f} s"
    sys.stdout.write(f"{took}; ingest p99 {before * 1000:.0f} -> {meanwhile * 1000:.0f} ms\n")
    assert late[-1] <= FIRED_WITHIN
    assert meanwhile <= INGEST_WITHIN

"""Fault 22: ten thousand timers run while clocks are set to and fro: none fires early, twice, or never."""

from dataclasses import dataclass, replace

import pytest

from llm_incident_manager.adapters.clock import SteadyClock
from llm_incident_manager.domain.time import DAY, HOUR, MINUTE, SECOND, Instant
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.pipeline.timekeeper import Timekeeper
from llm_incident_manager.pipeline.timers import LIMIT, Timers
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.snoozing import KEY
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.ports.timers import TimerRow
from llm_incident_manager.telemetry.metrics import Metrics
from tests.support.backends import Backend
from tests.support.builders import NOW, make_incident, make_opening
from tests.support.steps import write
from tests.support.world import world_on

TIMERS = 10_000
STEPS = {10: HOUR, 20: -HOUR, 30: DAY, 40: -DAY, 50: -HOUR, 60: 900_000, 70: HOUR}
"""By how much the wall clock is set in which minute; the hour before the last it is smeared, 500 ppm."""


@dataclass
class Machine:
    """A machine whose wall clock is set, and a database elsewhere whose clock is right."""

    passed: int = 0
    set_by: int = 0

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: (NOW + self.passed + self.set_by) * 1_000, lambda: self.passed * 1_000)

    async def own(self) -> None:
        """The database has no clock but this machine's."""

    async def right(self) -> Instant:
        return Instant(NOW + self.passed)


async def filled(store: Store) -> dict[str, Instant]:
    """Snoozed incidents that wake one after the other over 90 minutes; when, by their numbers."""
    due: dict[str, Instant] = {}
    for start in range(0, TIMERS, 500):
        changes = Changes()
        for number in range(start, start + 500):
            until = Instant(NOW + number * 90 * MINUTE // TIMERS)
            incident = replace(make_incident(), snoozed_until=until)
            due[incident.number] = until
            changes.absorb(make_opening(incident))
            changes.timers.append(TimerRow(incident.id, KEY, incident.tenant, TimerKind.SNOOZE, until, NOW))
        await write(store, changes)
    return due


@pytest.mark.slow
@pytest.mark.needs("durable", "alone")
@pytest.mark.parametrize("elsewhere", [False, True], ids=["the machine's clock", "the database's clock"])
async def test_no_timer_is_early_twice_or_lost_when_the_wall_clock_is_set(
    store: Store, backend: Backend, *, elsewhere: bool
) -> None:
    machine, world = Machine(), world_on(store)
    due = await filled(store)
    clock = machine.clock()
    keeper = Timekeeper(clock, machine.right if elsewhere else machine.own, Metrics("test"))
    timers = Timers(replace(world.tools, clock=clock), "test")
    for minute in range(120):
        machine.set_by += STEPS.get(minute, 0) + (30_000 if 60 <= minute < 110 else 0)
        await keeper.once()
        while await timers.once() == LIMIT:
            pass
        assert abs(clock.now() - (NOW + machine.passed)) <= SECOND, "our clock goes on as time does"
        machine.passed += MINUTE
    woken = await backend.query(
        store,
        "SELECT i.number, t.at FROM timeline AS t JOIN incident AS i ON i.id = t.incident_id WHERE t.kind = 'SNOOZED'",
    )
    assert (len(woken), len(dict(woken))) == (TIMERS, TIMERS), "each once"
    late = [at - due[number] for number, at in woken]
    assert min(late) >= 0, "none early by our clock, which is right to a second"
    assert max(late) <= MINUTE + SECOND, "none later than we looked"
    assert (await store.overdue_timers(Instant(NOW + 1_000 * DAY))).count == 0

"""Timers on held time: when they are looked at."""

import asyncio
from dataclasses import dataclass, replace

from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.pipeline.timers import POLL_SECONDS, Timers
from llm_incident_manager.ports.snoozing import KEY
from llm_incident_manager.ports.timers import TimerRow
from tests.support.builders import NOW, make_incident, make_opening
from tests.support.steps import write
from tests.support.waiting import until
from tests.support.world import HeldClock, World


@dataclass
class SteppedClock(HeldClock):
    """Goes on by what somebody sleeps."""

    slept: float = 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.slept = max(self.slept, seconds)
        await super().sleep(seconds)


async def test_a_timer_is_done_at_its_moment_and_not_when_it_happens_to_be_looked_for(world: World) -> None:
    due = [Instant(NOW + 300_000), Instant(NOW + 3 * SECOND + 1)]
    for at in due:
        incident = replace(make_incident(), snoozed_until=at)
        changes = make_opening(incident)
        changes.timers.append(TimerRow(incident.id, KEY, incident.tenant, TimerKind.SNOOZE, at, NOW))
        await write(world.store, changes)
    clock = SteppedClock()
    task = asyncio.create_task(Timers(replace(world.tools, clock=clock), "test").run())
    await until(lambda: clock.now() > NOW + 10 * SECOND)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    woken = []
    for incident in await world.incidents():
        found = await world.store.timeline(incident.tenant, incident.id, "", 9, TimelineKind.SNOOZED)
        woken += [entry.at for entry in found]
    assert woken == due
    assert clock.slept == POLL_SECONDS, "what is set meanwhile is not due later than this"


async def test_a_timer_that_comes_due_while_we_look_does_not_wait_for_the_next_look(world: World) -> None:
    clock = SteppedClock()
    timers = Timers(replace(world.tools, clock=clock), "test")
    assert await timers.once() == 0
    incident = replace(make_incident(), snoozed_until=Instant(NOW + 1))
    changes = make_opening(incident)
    changes.timers.append(TimerRow(incident.id, KEY, incident.tenant, TimerKind.SNOOZE, Instant(NOW + 1), NOW))
    await write(world.store, changes)
    clock.forward(2)
    assert await timers._until_next() == 0

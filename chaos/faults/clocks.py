"""Fault 22: ten thousand timers run while clocks are set to and fro. Time is virtual: two hours pass in seconds."""

from dataclasses import dataclass, replace
from io import StringIO

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_manager.adapters.clock import SteadyClock
from llm_incident_manager.domain.time import DAY, HOUR, MINUTE, SECOND, Instant
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.pipeline.timekeeper import Timekeeper
from llm_incident_manager.pipeline.timers import LIMIT, Timers
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.snoozing import KEY
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.ports.timers import TimerRow
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics
from tests.support.backends import Backend, Postgres, SqliteFile
from tests.support.builders import NOW, make_incident, make_opening
from tests.support.steps import write
from tests.support.world import world_on

TITLE = "the wall clock is set by an hour, a day, back, and smeared"
PROMISE = "10,000 timers meanwhile: none early by more than 1 s, none twice, none lost"
STEPS = {10: HOUR, 20: -HOUR, 30: DAY, 40: -DAY, 50: -HOUR, 60: 900_000, 70: HOUR}
"""By how much the wall clock is set in which minute."""
SMEARED, SMEAR = range(60, 110), 30_000
"""Minutes in which it is smeared as well, by 500 ppm."""
MINUTES = 120
SPREAD = 90 * MINUTE
"""The timers are due one after the other over this time."""
WOKEN = "SELECT i.number, t.at FROM timeline AS t JOIN incident AS i ON i.id = t.incident_id WHERE t.kind = 'SNOOZED'"


@dataclass
class Machine:
    """A machine whose wall clock is set, and a database elsewhere whose clock is right."""

    passed: int = 0
    set_by: int = 0

    def clock(self) -> SteadyClock:
        """What a server on it goes by."""
        return SteadyClock(lambda: (NOW + self.passed + self.set_by) * 1_000, lambda: self.passed * 1_000)

    async def own(self) -> None:
        """The database has no clock but this machine's."""

    async def right(self) -> Instant:
        """The database's clock."""
        return Instant(NOW + self.passed)


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of the timers. `early` and `late` are the extremes in seconds: by the server's clock, which was never
    wrong by more than `off`, and that counts against it."""

    lost: int
    doubled: int
    early: float
    late: float
    off: float
    too_late: int


@fault(22, TITLE, limit=PROMISE, part="SQLite")
async def sqlite(run: Run) -> Outcome:
    """The database is a file: its clock is the machine's."""
    return _outcome(await _seen(SqliteFile(run.folder), run.size(2_000, 10_000), elsewhere=False))


@fault(22, TITLE, limit=PROMISE, part="PostgreSQL")
async def postgres(run: Run) -> Outcome:
    """The database is on another machine, whose clock is the one to go by."""
    backend = Postgres(await run.databases.cluster(), "template0")
    try:
        return _outcome(await _seen(backend, run.size(2_000, 10_000), elsewhere=True))
    finally:
        backend.remove()


def _outcome(seen: Seen) -> Outcome:
    figures = [
        Figure("earliest, after it was due", seen.early, "s", least=-1),
        Figure("latest, looking once a minute", seen.late, "s", most=62),
        Figure("the server's clock was off by", seen.off, "s", most=1),
    ]
    return Outcome(figures, lost=seen.lost, doubled=seen.doubled, late=seen.too_late)


async def _seen(backend: Backend, timers: int, *, elsewhere: bool) -> Seen:
    logs.configure("critical", "json", StringIO())  # that a clock was set stands in the row
    store = await backend.open()
    try:
        due = await _snoozed(store, timers)
        off = await _two_hours(store, elsewhere=elsewhere)
        woken = await backend.query(store, WOKEN)
        waiting = (await store.overdue_timers(Instant(NOW + 1_000 * DAY))).count
    finally:
        await store.close()
    late = [at - due[number] for number, at in woken]
    distinct = len(dict(woken))
    return Seen(
        lost=max(timers - distinct, waiting),
        doubled=len(woken) - distinct,
        early=(min(late) - off) / SECOND,
        late=(max(late) + off) / SECOND,
        off=off / SECOND,
        too_late=sum(each > MINUTE + SECOND for each in late),
    )


async def _snoozed(store: Store, timers: int) -> dict[str, Instant]:
    """Snoozed incidents, and when each is to wake, by their numbers."""
    due: dict[str, Instant] = {}
    for start in range(0, timers, 500):
        changes = Changes()
        for number in range(start, start + 500):
            until = Instant(NOW + number * SPREAD // timers)
            incident = replace(make_incident(), snoozed_until=until)
            due[incident.number] = until
            changes.absorb(make_opening(incident))
            changes.timers.append(TimerRow(incident.id, KEY, incident.tenant, TimerKind.SNOOZE, until, NOW))
        await write(store, changes)
    return due


async def _two_hours(store: Store, *, elsewhere: bool) -> int:
    """A server's timers minute by minute; returns by how many microseconds its clock was ever off."""
    machine, world, off = Machine(), world_on(store), 0
    clock = machine.clock()
    keeper = Timekeeper(clock, machine.right if elsewhere else machine.own, Metrics("chaos"))
    timers = Timers(replace(world.tools, clock=clock), "chaos")
    for minute in range(MINUTES):
        machine.set_by += STEPS.get(minute, 0) + (SMEAR if minute in SMEARED else 0)
        await keeper.once()
        while await timers.once() == LIMIT:
            pass
        off = max(off, abs(clock.now() - (NOW + machine.passed)))
        machine.passed += MINUTE
    return off

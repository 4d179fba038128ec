"""Fault 23: ten thousand timers that are due in the same second, in a server that takes events in meanwhile."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from typing import NamedTuple

import aiohttp

from chaos.acks import Ack, AckLog, ack_log
from chaos.audit import audit
from chaos.faults.soak import scraped
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Profile, Run
from chaos.vitals import percentile
from llm_incident_client import IncidentClient, pb
from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import MINUTE, SECOND, Instant
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.ports.promises import KEY
from llm_incident_manager.ports.timers import TimerRow
from tests.support.backends import Backend, Postgres, SqliteFile
from tests.support.books import Books, books_in, books_of
from tests.support.builders import make_incident, make_opening
from tests.support.server import RunningServer, running_server
from tests.support.steps import write

TITLE = "10,000 timers due in the same second"
PROMISE = "all fired <= 5 s, p99 late <= 2 s, p99 of ingest <= 2 times"
ALL_SECONDS = {Profile.CI: 10.0, Profile.LONG: 5.0, Profile.FULL: 5.0}
P99_SECONDS = {Profile.CI: 10.0, Profile.LONG: 2.0, Profile.FULL: 2.0}
"""In the short profile the machine may be anybody's: what counts there is that nothing stands still."""
SLOWEST_INGEST = 2.0
"""Seconds that a p99 of ingest may take in the short profile."""
CALM_SECONDS = 3.0
BATCH = 20
FAR = Instant(4_000_000_000_000_000)
"""When they are due before the moment is chosen."""


SetDue = Callable[[Instant], Awaitable[None]]
"""Makes all timers due at a moment, behind the server's back."""


class Place(NamedTuple):
    """Where the record is."""

    backend: Backend
    env: Mapping[str, str]
    set_due: SetDue


class Fired(NamedTuple):
    """When the timers were due, seconds until the last was done, and the 99th percentiles of a batch in seconds, before
    and meanwhile."""

    due: Instant
    took: float
    before: float
    meanwhile: float


@fault(23, TITLE, limit=PROMISE, part="SQLite")
async def sqlite(run: Run) -> Outcome:
    """The server's own file, into which the moment is written beside it."""
    backend = SqliteFile(run.folder)

    async def set_due(due: Instant) -> None:
        with closing(sqlite3.connect(backend.database, timeout=10)) as connection, connection:
            connection.execute("UPDATE timer SET due_at = ? WHERE due_at = ?", (due, FAR))

    place = Place(backend, {"DATABASE_URL": f"sqlite:///{backend.database.parent}"}, set_due)
    async with ack_log(run.folder / "acks") as log:
        fired = await _fired(run, place, log)
        with books_of(backend.database.parent) as books:
            return await _outcome(run, place, log, books, fired)


@fault(23, TITLE, limit=PROMISE, part="PostgreSQL")
async def postgres(run: Run) -> Outcome:
    """The server and its database share the processors."""
    cluster = await run.databases.cluster()
    backend = Postgres(cluster, "template0")
    name = backend.dsn.rpartition("/")[2]

    async def set_due(due: Instant) -> None:
        await asyncio.to_thread(cluster.sql, f"UPDATE timer SET due_at = {due} WHERE due_at = {FAR}", name)

    place = Place(backend, {"DATABASE_URL": backend.dsn}, set_due)
    try:
        async with ack_log(run.folder / "acks") as log:
            fired = await _fired(run, place, log)
            return await _outcome(run, place, log, books_in(cluster, name), fired)
    finally:
        backend.remove()


async def _fired(run: Run, place: Place, log: AckLog) -> Fired:
    """Lets them fire in a server that is as busy before as meanwhile."""
    timers = run.size(2_000, 10_000)
    await _promised(place.backend, timers, log)
    async with running_server(env=place.env) as server, IncidentClient(server.grpc) as client:
        async with _ingest(client, log) as took:
            await asyncio.sleep(1)
            took.clear()
            await asyncio.sleep(CALM_SECONDS)
            before = percentile(took, 0.99)
            due = Instant(_now() + 2 * SECOND)
            await place.set_due(due)
            await asyncio.sleep((due - _now()) / SECOND)
            took.clear()
            await _all_done(server, timers)
            fired = Fired(due, (_now() - due) / SECOND, before, percentile(took, 0.99))
        await server.terminate()
    return fired


async def _promised(backend: Backend, timers: int, log: AckLog) -> None:
    """Incidents that nobody has acknowledged in time."""
    opened = Instant(_now() - 20 * MINUTE)
    store = await backend.open()
    try:
        for _ in range(timers // 500):
            incidents = [make_incident(severity=Severity.P1, created_at=opened, updated_at=opened) for _ in range(500)]
            changes = make_opening(*incidents)
            changes.outbox.clear()
            changes.timers.extend(TimerRow(i.id, KEY, i.tenant, TimerKind.SLA, FAR, opened) for i in incidents)
            await write(store, changes)
            log.note(*(Ack("stock", "", row.id) for row in changes.events))
        while await store.index_incidents(1_000) + await store.index_words(1_000):
            pass
    finally:
        await store.close()


@asynccontextmanager
async def _ingest(client: IncidentClient, log: AckLog) -> AsyncIterator[list[float]]:
    """Batches one after the other with a breath between them, and how many seconds each took."""
    took: list[float] = []
    going = True

    async def run() -> None:
        while going:
            events = [pb.Event(source="chaos", title="it fails", dedup_key=f"k{number}") for number in range(BATCH)]
            started = time.monotonic()
            reply = await client.submit_events(events)
            took.append(time.monotonic() - started)
            log.note(*(Ack("batch", "", result.event_id) for result in reply.results))
            await asyncio.sleep(0.01)

    task = asyncio.create_task(run())
    try:
        yield took
    finally:
        going = False
        await task


async def _all_done(server: RunningServer, timers: int) -> None:
    """Returns once the server has counted so many."""
    name = f'timers_fired_total{{kind="{TimerKind.SLA}"}}'
    async with aiohttp.ClientSession(server.http) as session, asyncio.timeout(60):
        while (await scraped(session)).get(name, 0) < timers:
            await asyncio.sleep(0.1)


async def _outcome(run: Run, place: Place, log: AckLog, books: Books, fired: Fired) -> Outcome:
    found = await audit(log.read(), books, place.env)
    timers, told = run.size(2_000, 10_000), books.breaches()
    late = [(at - fired.due) / SECOND for _, at in told]
    distinct = len({incident for incident, _ in told})
    most = SLOWEST_INGEST if run.profile is Profile.CI else 2 * fired.before
    figures = [
        Figure("timers", timers),
        Figure("all done after", fired.took, "s", most=ALL_SECONDS[run.profile]),
        Figure("p99 late", percentile(late, 0.99), "s", most=P99_SECONDS[run.profile]),
        Figure("earliest", min(late), "s", least=-0.001),
        Figure("p99 of a batch before", 1_000 * fired.before, "ms"),
        Figure("meanwhile", 1_000 * fired.meanwhile, "ms", most=1_000 * most),
    ]
    return Outcome(
        figures,
        acked=found.acked,
        lost=found.lost + timers - distinct,
        doubled=found.doubled + len(told) - distinct,
        late=sum(each > ALL_SECONDS[run.profile] for each in late),
        wrong=found.wrong,
    )


def _now() -> Instant:
    return SystemClock().now()

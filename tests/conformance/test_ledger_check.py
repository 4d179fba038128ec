"""`ledger check` finds nothing in what pipeline and people have done, and names rows that were damaged by hand."""

import asyncio
from collections.abc import Sequence

import apsw
import asyncpg
import pytest

from llm_incident_manager.adapters import databases
from llm_incident_manager.adapters.sql.ledger import CHECKS, Report
from llm_incident_manager.config import Settings, load
from llm_incident_manager.domain.disposition import EventResult
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.domain.retention import Expiring
from llm_incident_manager.domain.time import DAY, HOUR, Instant
from llm_incident_manager.pipeline.batch import ProducerClaim
from llm_incident_manager.ports.changes import ProducerKey
from llm_incident_manager.ports.stores import Store
from tests.support.backends import Backend, Postgres, SqliteFile
from tests.support.builders import NOW, TENANT, make_event
from tests.support.desk import Desk, desk_on

pytestmark = pytest.mark.needs("durable")

PRODUCER = ProducerKey(TENANT, "dev", "p")


def settings_of(backend: Backend, **retention: int) -> Settings:
    """Settings of a server on the test's database; nothing goes by itself unless the test says so."""
    kept = {"events_days": 0, "incidents_days": 0, "max_bytes": 0, **retention}
    env = {f"LLM_IM__RETENTION__{name.upper()}": str(value) for name, value in kept.items()}
    if isinstance(backend, Postgres):
        url = {"DATABASE_URL": backend.dsn, "LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}
        return load({**env, **url})
    assert isinstance(backend, SqliteFile)
    return load({**env, "DATABASE_URL": f"sqlite://{backend.database.parent}"})


async def check(backend: Backend, now: Instant = NOW, **retention: int) -> Report:
    return await asyncio.to_thread(databases.check_ledger, settings_of(backend, **retention), now)


async def damage(backend: Backend, *statements: str) -> None:
    """Writes past the server, as a defect or a person would."""
    if isinstance(backend, Postgres):
        connection = await asyncpg.connect(backend.dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()
        return
    assert isinstance(backend, SqliteFile)
    beside = apsw.Connection(str(backend.database))
    beside.set_busy_timeout(5_000)
    try:
        for statement in statements:
            beside.execute(statement)
    finally:
        beside.close()


def sql(backend: Backend, id_: object) -> str:
    """An id as the dialect writes it."""
    return f"'{id_}'::uuid" if isinstance(backend, Postgres) else f"unhex('{id_}', '-')"


def failed(report: Report) -> dict[str, list[str]]:
    return {finding.name: finding.first for finding in report.findings if finding.wrong}


async def streamed(desk: Desk, first: int, count: int) -> Sequence[EventResult]:
    """So many events of a producer, in one frame."""
    async with desk.store.transaction() as tx:
        row = await tx.open_producer(PRODUCER, desk.world.clock.now())
    numbers = range(first, first + count)
    claim = ProducerClaim(PRODUCER, row.epoch, numbers, first, first + count - 1)
    events = [make_event(dedup_key=f"s{number % 3}") for number in numbers]
    return await desk.world.submit(*events, producer=claim)


async def busy(desk: Desk) -> None:
    """All that an event can become and all that people do with incidents, incidents that nobody reported included."""
    await desk.event("a", idempotency_key="once")
    await desk.event("a", idempotency_key="once")
    await desk.event("a", Action.ACKNOWLEDGE)
    await desk.event("a", Action.ACKNOWLEDGE)
    await desk.event("nothing", Action.RESOLVE)
    await desk.event("b", Action.CHANGE)
    b, c, d = [await desk.opened(key) for key in "bcd"]
    await desk.merge(b, c)
    await desk.event("c")
    await desk.merge(d, b)
    moved = (await desk.event("b")).event_id
    assert moved is not None
    await desk.split(await desk.now(d.id), [moved])
    await desk.event("d")
    e, f = await desk.opened("e"), await desk.opened("f")
    await desk.merge(e, f)
    await desk.event("f")
    await desk.unmerge(f)
    await desk.event("f")
    await desk.event("e", Action.RESOLVE)
    await desk.event("e")
    await desk.move(await desk.opened("g"), Verb.RESOLVE)
    await streamed(desk, 1, 5)
    await streamed(desk, 6, 4)


async def test_whatever_was_done_the_ledger_adds_up(store: Store, backend: Backend) -> None:
    desk = desk_on(store)
    await busy(desk)
    report = await check(backend)
    assert failed(report) == {}
    assert report.adds_up
    assert [finding.name for finding in report.findings] == list(CHECKS)
    assert min(finding.looked_at for finding in report.findings) > 0, "a check that sees nothing shows nothing"
    assert set(report.dispositions) == {"NEW", "ATTACHED", "DUPLICATE", "APPLIED", "IGNORED"}
    assert report.accepted == (await backend.query(store, "SELECT count(*) FROM event"))[0][0]


async def test_a_reason_that_belongs_to_another_disposition_is_found(store: Store, backend: Backend) -> None:
    event = (await desk_on(store).event("a")).event_id
    await damage(backend, f"UPDATE event SET reason = 'muted' WHERE id = {sql(backend, event)}")
    assert failed(await check(backend))["dispositions"] == [f"{event} has disposition 1 for reason muted"]


async def test_an_event_that_names_a_missing_incident_or_none_is_found(store: Store, backend: Backend) -> None:
    desk = desk_on(store)
    one, two = await desk.event("a"), await desk.event("a")
    missing = one.event_id
    await damage(
        backend,
        f"UPDATE event SET incident_id = {sql(backend, missing)} WHERE id = {sql(backend, one.event_id)}",
        f"UPDATE event SET incident_id = NULL WHERE id = {sql(backend, two.event_id)}",
    )
    found = failed(await check(backend))
    assert found["event_incidents"] == [
        f"{two.event_id} names no incident, and open_incident needs one",
        f"{one.event_id} names an incident that does not exist: {missing}",
    ]
    assert found["incident_counts"] == [f"{one.incident_id} counts 2 events, and the ledger has 0"]


async def test_a_duplicate_of_nothing_is_found(store: Store, backend: Backend) -> None:
    desk = desk_on(store)
    first = await desk.event("a", idempotency_key="k")
    await desk.event("a", idempotency_key="k")
    ((again,),) = await backend.query(store, "SELECT id FROM event WHERE disposition = 3")
    await damage(backend, f"DELETE FROM event WHERE id = {sql(backend, first.event_id)}")
    found = failed(await check(backend))
    name = str(again) if not isinstance(again, bytes) else again.hex()
    assert [text.replace("-", "") for text in found["duplicates"]] == [
        f"{name} repeats an event that does not exist: {first.event_id}".replace("-", "")
    ]
    assert found["idempotency"] == [f"k names an event that does not exist: {first.event_id}"]
    assert found["incident_counts"] == [f"{first.incident_id} counts 1 events, and the ledger has 0"]


async def test_an_event_lost_below_a_merge_is_found_in_both_counters(store: Store, backend: Backend) -> None:
    desk = desk_on(store)
    into, source = await desk.opened("a"), await desk.opened("b")
    lost = (await desk.event("b")).event_id
    await desk.merge(into, source)
    await damage(backend, f"DELETE FROM event WHERE id = {sql(backend, lost)}")
    assert sorted(failed(await check(backend))["incident_counts"]) == sorted(
        [
            f"{into.id} counts 3 events, and the ledger has 2",
            f"{source.id} counts 2 events, and the ledger has 1",
        ]
    )


async def test_fingerprints_that_nobody_or_the_wrong_one_holds_are_found(store: Store, backend: Backend) -> None:
    desk = desk_on(store)
    alone, over, doubled, other = [await desk.opened(key) for key in ("alone", "over", "doubled", "other")]
    await damage(
        backend,
        "DELETE FROM incident_key WHERE fingerprint = 'alone'",
        f"UPDATE incident SET state = 'RESOLVED' WHERE id = {sql(backend, over.id)}",
        f"UPDATE incident SET fingerprint = 'doubled' WHERE id = {sql(backend, other.id)}",
    )
    found = failed(await check(backend))
    assert sorted(found["open_fingerprints"]) == sorted(
        f"{id_} shares its open fingerprint with another one: doubled" for id_ in (doubled.id, other.id)
    )
    assert sorted(found["keys"]) == [
        f"alone is not held by the open incident that has it: {alone.id}",
        f"doubled is not held by the open incident that has it: {other.id}",
        f"other is held by an incident that has another one: {other.id}",
        f"over is held by an incident that is over: {over.id}",
    ]


async def test_runs_that_overlap_run_ahead_or_have_lost_events_are_found(store: Store, backend: Backend) -> None:
    desk = desk_on(store)
    lost = (await streamed(desk, 1, 5))[2].event_id
    await streamed(desk, 6, 3)
    await damage(
        backend,
        f"DELETE FROM event WHERE id = {sql(backend, lost)}",
        "UPDATE producer_segment SET first_sequence = 5 WHERE first_sequence = 6",
    )
    found = failed(await check(backend))
    assert found["producers"] == ["p has two runs with number 5"]
    assert found["segments"] == ["p from number 1 has 5 events, and the ledger 4 of them"]
    await damage(backend, "UPDATE producer SET last_sequence = 3")
    assert failed(await check(backend))["producers"] == [
        "p has come to 3 and has a run from number 1",
        "p has two runs with number 5",
    ]


async def test_an_event_in_two_runs_is_found(store: Store, backend: Backend) -> None:
    desk = desk_on(store)
    first = (await streamed(desk, 1, 5))[3].event_id
    await damage(
        backend,
        "INSERT INTO producer_segment (tenant, principal, producer_id, first_sequence, count, first_event_id, at) "
        f"SELECT tenant, principal, 'q', 1, 2, {sql(backend, first)}, at FROM producer_segment",
    )
    found = failed(await check(backend))
    assert found["producers"] == ["q is not known and has a run from number 1"]
    assert found["segments"] == ["q from number 1 names events of the run before it again"]


async def test_what_retention_may_have_taken_is_told_and_not_held_against_the_ledger(
    store: Store, backend: Backend
) -> None:
    desk = desk_on(store)
    old = await desk.opened("old", idempotency_key="k")
    await desk.event("old", idempotency_key="k")
    desk.world.clock.forward(100 * DAY)
    await store.make_room(desk.world.clock.now())
    now = desk.world.clock.now()
    fresh = await desk.event("fresh")
    await store.expire(Expiring.EVENTS, Instant(now - 90 * DAY), 1_000, 0)
    assert len(await backend.query(store, "SELECT id FROM event")) == 1
    report = await check(backend, now, events_days=90)
    assert failed(report) == {}
    counts = next(finding for finding in report.findings if finding.name == "incident_counts")
    assert (counts.looked_at, counts.retention) == (2, 1)
    assert failed(await check(backend, now))["incident_counts"] == [f"{old.id} counts 1 events, and the ledger has 0"]
    await damage(backend, f"DELETE FROM event WHERE id = {sql(backend, fresh.event_id)}")
    text = f"{fresh.incident_id} counts 1 events, and the ledger has 0"
    assert failed(await check(backend, now, events_days=90))["incident_counts"] == [text]
    later = Instant(now + DAY + 2 * HOUR)
    assert failed(await check(backend, later, max_bytes=1)) == {}, "above the mark, rows go after a day"


async def test_more_events_than_an_incident_counts_are_wrong_however_old(store: Store, backend: Backend) -> None:
    desk = desk_on(store)
    one, other = await desk.event("a"), await desk.event("b")
    await damage(
        backend,
        f"UPDATE event SET incident_id = {sql(backend, one.incident_id)} WHERE id = {sql(backend, other.event_id)}",
    )
    found = failed(await check(backend, Instant(NOW + 200 * DAY), events_days=1))
    assert found["incident_counts"] == [f"{one.incident_id} counts 1 events, and the ledger has 2"]

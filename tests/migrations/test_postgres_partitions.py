"""Events in PostgreSQL lie in partitions by the day: made ahead by any number of processes, dropped without a wait."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import TypeAlias

import asyncpg
import pytest

from llm_incident_manager.adapters.postgres import opening, partitions, schema
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.partitions import DAYS_AHEAD
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.postgres.store import PostgresStore, open_store
from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.domain import ids
from llm_incident_manager.domain.ids import EventId
from llm_incident_manager.domain.retention import Expiring
from llm_incident_manager.domain.time import DAY, HOUR, Instant
from llm_incident_manager.ports.changes import BodyRow, Changes, EventRow
from llm_incident_manager.ports.stores import KeyTaken
from llm_incident_manager.ports.upkeep import UpkeepRefused
from tests.support.builders import NOW, TENANT, make_event_row, make_id
from tests.support.postgres import Cluster
from tests.support.steps import write

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

WHERE = "SELECT tableoid::regclass::text FROM event WHERE id = $1"
MIDNIGHT = Instant(NOW // DAY * DAY)
_numbers = count(1)


@pytest.fixture
async def options(cluster: Cluster) -> AsyncIterator[Options]:
    name = cluster.create()
    yield Options(cluster.dsn(name), may_lose_commits=True)
    cluster.drop(name)


@pytest.fixture
async def store(options: Options) -> AsyncIterator[PostgresStore]:
    opened = await open_store(options, make_id(), NOW)
    yield opened
    await opened.close()


@pytest.fixture
async def beside(options: Options) -> AsyncIterator[Connection]:
    """Somebody else's connection."""
    connection = await asyncpg.connect(options.dsn)
    yield connection
    await connection.close()


def event_at(at: Instant) -> EventRow:
    return make_event_row(id=EventId(f"{ids.first_of(at)[:24]}{next(_numbers):012x}"), received_at=at)


async def store_events(store: PostgresStore, *events: EventRow) -> None:
    bodies = [BodyRow(event.id, TENANT, b"b", "{}") for event in events]
    await write(store, Changes(events=list(events), bodies=bodies))


async def names(beside: Connection, table: str = "event") -> list[str]:
    rows = await beside.fetch("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1::regclass", table)
    return sorted(str(row[0]) for row in rows)


async def test_a_start_makes_today_and_the_coming_days(store: PostgresStore, beside: Connection) -> None:
    days = ["event_20261121", "event_20261122", "event_20261123", "event_20261124"]
    assert await names(beside) == [*days, "event_default"]
    assert await names(beside, "event_body") == [
        *(d.replace("event", "event_body") for d in days),
        "event_body_default",
    ]
    assert await store.make_room(NOW) == 0
    assert await store.make_room(Instant(NOW + DAY)) == 2
    assert await store.make_room(Instant(NOW + 30 * DAY)) == 2 * (DAYS_AHEAD + 1)


async def test_processes_that_come_together_make_each_partition_once(options: Options, beside: Connection) -> None:
    stores = await asyncio.gather(*(open_store(options, make_id(), NOW) for _ in range(4)))
    made = await asyncio.gather(*(each.make_room(Instant(NOW + 10 * DAY)) for each in stores))
    made.append(await stores[0].make_room(Instant(NOW + 10 * DAY)))  # one that found another at it left the rest
    assert sum(made) == 2 * (DAYS_AHEAD + 1)
    assert len(await names(beside)) == 2 * (DAYS_AHEAD + 1) + 1
    await asyncio.gather(*(each.close() for each in stores))


async def test_an_event_lies_with_its_day_and_is_found_in_one_partition(
    store: PostgresStore, beside: Connection
) -> None:
    event = event_at(NOW)
    await store_events(store, event)
    assert await beside.fetchval(WHERE, event.id) == "event_20261121"
    await beside.execute("SET plan_cache_mode = force_custom_plan")
    for name, values in (("event", (TENANT, event.id)), ("events_by_id", (TENANT, [event.id]))):
        plan = [str(row[0]) for row in await beside.fetch(f"EXPLAIN {SQL[name]}", *values)]
        read = {line.rpartition(" on ")[2].split()[0] for line in plan if " on event" in line}
        assert read <= {"event_20261121", "event_body_20261121"}, plan
    assert (await store.event(TENANT, event.id)).body == b"b"


async def test_a_wrong_clock_loses_nothing(store: PostgresStore, beside: Connection) -> None:
    early, late = event_at(Instant(DAY)), event_at(Instant(NOW + 100 * DAY))
    await store_events(store, early, late)
    assert await beside.fetchval(WHERE, late.id) == "event_default"
    assert await store.make_room(Instant(NOW + 98 * DAY)) == 2 * (DAYS_AHEAD + 1)
    assert await beside.fetchval(WHERE, late.id) == "event_20270301"
    assert await beside.fetchval(WHERE, early.id) == "event_default"
    for event in (early, late):
        assert (await store.event(TENANT, event.id)).body == b"b"


async def test_making_room_does_not_wait_for_ingest_nor_ingest_for_it(store: PostgresStore) -> None:
    before, during, after = event_at(NOW), event_at(NOW), event_at(NOW)
    await store_events(store, before)
    async with store.transaction() as tx:
        await tx.write(Changes(events=[during]))
        assert await store.make_room(Instant(NOW + DAY)) == 2
        await store_events(store, after)
    for event in (before, during, after):
        await store.event(TENANT, event.id)


async def test_dropping_gives_up_soon_when_somebody_reads_and_ingest_goes_on(
    store: PostgresStore, beside: Connection
) -> None:
    old, new = event_at(NOW), event_at(Instant(NOW + 2 * DAY))
    await store_events(store, old)
    async with beside.transaction():
        await beside.fetch("SELECT count(*) FROM event")
        async with asyncio.timeout(2):
            with pytest.raises(KeyTaken):
                await store.expire(Expiring.EVENTS, Instant(NOW + 2 * DAY), 1000)
            await store_events(store, new)
    assert (await store.expire(Expiring.EVENTS, Instant(NOW + 2 * DAY), 1000)).records == 1
    assert "event_20261121" not in await names(beside)
    await store.event(TENANT, new.id)


async def test_an_event_on_its_way_to_the_default_partition_is_tried_again(
    store: PostgresStore, beside: Connection
) -> None:
    day = Instant(MIDNIGHT + 20 * DAY)
    (partition,) = partitions.of_days("event", day, day)
    async with beside.transaction():
        await beside.execute(partitions.filled("lock_default", "event"))
        writing = asyncio.create_task(store_events(store, event_at(day)))
        while not await beside.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for step in ("create_partition", "attach_partition"):
            await beside.execute(partitions.filled(step, "event", partition))
    with pytest.raises(KeyTaken, match="a partition"):
        await writing
    again = event_at(day)
    await store_events(store, again)
    assert await beside.fetchval(WHERE, again.id) == partition.name


async def test_a_day_that_has_filled_the_default_partition_stays_there(
    store: PostgresStore, beside: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "MOST_MOVED", 2)
    days = [Instant(MIDNIGHT + days * DAY) for days in (20, 20, 20, 21, 21)]
    await store_events(store, *map(event_at, days))
    assert await store.make_room(days[0]) == 2 * DAYS_AHEAD
    assert "event_20261211" not in await names(beside)
    assert "event_20261212" in await names(beside)
    assert await store.make_room(days[0]) == 0


async def test_a_role_that_may_change_no_table_serves_and_says_what_it_lacks(
    options: Options, beside: Connection, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    await schema.migrate(options, NOW)
    name = options.dsn.rpartition("/")[2]
    role = f"guest_{name}"
    rights = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO"
    await beside.execute(f"CREATE ROLE {role} LOGIN; {rights} {role}")
    guest = Options(options.dsn.replace("postgres@", f"{role}@"), may_lose_commits=True)
    store = await open_store(guest, make_id(), NOW, migrate=False)
    assert "partitions.later" in "".join(capsys.readouterr())
    event = event_at(NOW)
    await store_events(store, event)
    assert await beside.fetchval(WHERE, event.id) == "event_default"
    with pytest.raises(UpkeepRefused, match="let the server's role own the tables"):
        await store.make_room(NOW)
    await store.close()
    await beside.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_one_process_deletes_at_a_time(store: PostgresStore, beside: Connection) -> None:
    await store_events(store, event_at(NOW))
    async with beside.transaction():
        await beside.fetchval(SQL["only_one"])
        assert not (await store.expire(Expiring.EVENTS, Instant(NOW + 9 * DAY), 1000)).more
        assert await store.make_room(Instant(NOW + DAY)) == 0
    assert (await store.expire(Expiring.EVENTS, Instant(NOW + 9 * DAY), 1000)).more


async def test_a_partition_stays_until_all_of_it_is_old(store: PostgresStore) -> None:
    await store_events(store, event_at(MIDNIGHT))
    assert not (await store.expire(Expiring.EVENTS, Instant(MIDNIGHT + DAY - HOUR), 1000)).more
    assert (await store.expire(Expiring.EVENTS, Instant(MIDNIGHT + DAY), 1000)).records == 1


async def test_events_of_before_stay_where_they_are(options: Options, beside: Connection) -> None:
    """The migration runs on the database's clock, so this test does, too."""
    now = Instant(int(1e6 * float(await beside.fetchval("SELECT extract(epoch FROM now())"))))
    known = migrations.load("postgres")
    number = next(n for n, each in enumerate(known) if each.name.endswith("_upkeep"))
    pool = await opening.connect(options)
    async with pool.connection() as connection:
        await schema.apply(connection, known[:number], now)
    old, today, ahead = (event_at(Instant(now + days * DAY)) for days in (-50, 0, 3))
    await store_events(PostgresStore(pool, options, make_id(), lambda _: None), old, today, ahead)
    await pool.close()

    store = await open_store(options, make_id(), now)
    places = [await beside.fetchval(WHERE, event.id) for event in (old, today, ahead)]
    assert places[:2] == ["event_past", "event_past"]
    assert places[2].startswith("event_2")
    for event in (old, today, ahead):
        assert (await store.event(TENANT, event.id)).body == b"b"
    assert (await store.expire(Expiring.EVENTS, now, 1000)).records == 0
    assert (await store.expire(Expiring.EVENTS, Instant(now + DAY), 1000)).records == 2
    assert len(await names(beside)) == DAYS_AHEAD + 1  # no partition of today, and the default one
    await store.close()


@pytest.mark.parametrize(("until", "missing"), [(-1, 4), (1, 3), (2, 2), (4, 0)])
def test_what_lies_in_one_old_partition_needs_no_other(until: int, missing: int) -> None:
    bound = ids.first_of(Instant(MIDNIGHT + until * DAY))
    there = [partitions.Partition("event_past", "", bound)]
    assert len(partitions.needed("event", there, NOW)) == missing

"""What has been kept long enough goes, with everything that belongs to it; what is open or still due never does."""

from dataclasses import replace

import pytest

from llm_incident_manager.adapters.sql.audit import AUDIT_COLUMNS
from llm_incident_manager.domain import ids
from llm_incident_manager.domain.audit_chain import AuditRow, first_broken
from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.domain.ids import EventId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.retention import Expiring
from llm_incident_manager.domain.time import DAY, Instant
from llm_incident_manager.ports.changes import NOTIFY, BodyRow, Changes, EventRow, OutboxRetry
from llm_incident_manager.ports.stores import Store
from tests.support.backends import Backend
from tests.support.builders import (
    NOW,
    TENANT,
    make_audit,
    make_delivery,
    make_entry,
    make_event_row,
    make_incident,
    make_opening,
    make_work,
)
from tests.support.steps import START, opened, release, write

TODAY = Instant(NOW // DAY * DAY)
TABLES_WITH_INDEX = {
    "sqlite": "SELECT m.name, (SELECT x.name FROM pragma_index_list(m.name) AS l, pragma_index_info(l.name) AS x "
    "WHERE x.seqno = 0 AND x.name = 'incident_id') FROM sqlite_schema AS m, pragma_table_info(m.name) AS c "
    "WHERE m.type = 'table' AND c.name = 'incident_id'",
    "postgresql": "SELECT c.table_name, (SELECT min(a.attname) FROM pg_index AS i JOIN pg_attribute AS a "
    "ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] "
    "WHERE i.indrelid = c.table_name::regclass AND a.attname = 'incident_id') "
    "FROM information_schema.columns AS c WHERE c.column_name = 'incident_id'",
}
OWN_END = {"event", "idempotency", "incident_change", "incident_key", "incident_key_released", "outbox"}


def days_ago(days: float) -> Instant:
    return Instant(NOW - int(days * DAY))


def event_id(at: Instant, number: int = 1) -> EventId:
    return EventId(f"{ids.first_of(at)[:24]}{number:012x}")


async def expire_all(store: Store, what: Expiring, before: Instant, *, limit: int = 1000, above: int = 0) -> int:
    """As the sweeper does it: until no more step is worth while."""
    total, more = 0, True
    while more:
        step = await store.expire(what, before, limit, above)
        total, more = total + step.records, step.more
    return total


async def events_of(store: Store, *ages: float, incident: Incident | None = None) -> list[EventRow]:
    """Events with bodies, so many days old, each on the day it belongs to."""
    rows = []
    for age in ages:
        at = days_ago(age)
        await store.make_room(at)
        row = make_event_row(incident, id=event_id(at), received_at=at, event_time=at)
        await write(store, Changes(events=[row], bodies=[BodyRow(row.id, TENANT, b"\x0a\x01s", "{}")]))
        rows.append(row)
    return rows


async def kept(store: Store, rows: list[EventRow]) -> list[str]:
    """What is left of each event: all, row or nothing."""
    found = []
    for row in rows:
        try:
            stored = await store.event(TENANT, row.id)
        except NotFound:
            found.append("nothing")
        else:
            found.append("row" if stored.body is None else "all")
    return found


async def finished(store: Store, at: Instant, state: State = State.RESOLVED) -> Incident:
    """An incident that ended then, with all that hangs on it."""
    incident = await opened(store)
    over = incident.moved(State.RESOLVED, at)
    if state is State.CLOSED:
        over = over.moved(State.CLOSED, at)
    work = make_work(incident, topic=NOTIFY)
    await write(
        store,
        Changes(
            changed=[over],
            keys_released=release(incident),
            timeline=[make_entry(incident)],
            deliveries=[make_delivery(incident)],
            outbox=[work],
        ),
    )
    await write(store, Changes(outbox_retries=[OutboxRetry(work.id, work.fence, 5, at, "refused", dead=True)]))
    return incident


async def test_bodies_go_before_their_rows(store: Store) -> None:
    rows = await events_of(store, 9, 8, 2, 0)
    assert await expire_all(store, Expiring.BODIES, days_ago(5)) == 2
    assert await kept(store, rows) == ["row", "row", "all", "all"]
    assert await expire_all(store, Expiring.EVENTS, days_ago(5)) == 2
    assert await kept(store, rows) == ["nothing", "nothing", "all", "all"]
    assert await expire_all(store, Expiring.EVENTS, days_ago(5)) == 0


async def test_events_go_whatever_incident_they_belong_to_once_they_are_old(store: Store) -> None:
    rows = await events_of(store, 9, incident=await opened(store))
    assert await expire_all(store, Expiring.EVENTS, days_ago(5)) == 1
    assert await kept(store, rows) == ["nothing"]


async def test_ids_that_lie_in_no_prepared_place_go_as_well(store: Store) -> None:
    rows = [make_event_row(id=event_id(days_ago(400), n)) for n in range(3)]
    await write(store, Changes(events=rows))
    assert await expire_all(store, Expiring.EVENTS, days_ago(365), limit=2) == 3
    assert await kept(store, rows) == ["nothing"] * 3


async def test_nothing_goes_early_while_the_database_is_small(store: Store) -> None:
    rows = await events_of(store, 9)
    assert await store.size() > 0
    assert await expire_all(store, Expiring.BODIES, days_ago(0), above=await store.size() + 2**30) == 0
    assert await kept(store, rows) == ["all"]
    assert await expire_all(store, Expiring.BODIES, days_ago(0), above=1) == 1


async def test_finished_incidents_go_with_all_that_hangs_on_them(store: Store, backend: Backend) -> None:
    gone = [await finished(store, days_ago(10)), await finished(store, days_ago(9), State.CLOSED)]
    stays = await finished(store, days_ago(1))
    assert await expire_all(store, Expiring.INCIDENTS, days_ago(5)) == 2
    assert await expire_all(store, Expiring.INCIDENTS, days_ago(5)) == 0
    for incident in gone:
        with pytest.raises(NotFound):
            await store.incident(TENANT, incident.id)
        assert list(await store.timeline(TENANT, incident.id, "", 10)) == []
        assert list(await store.deliveries(TENANT, incident.id)) == []
    assert (await store.incident(TENANT, stays.id)).id == stays.id
    assert len(await store.timeline(TENANT, stays.id, "", 10)) == 2
    dead = await backend.query(store, "SELECT count(*) FROM outbox WHERE dead")
    assert dead == [(1,)], "only the work of the incident that stays is kept as given up"


async def test_open_incidents_their_keys_and_their_work_never_go(store: Store) -> None:
    incident = await opened(store, created_at=days_ago(500), updated_at=days_ago(500))
    for what in Expiring:
        await expire_all(store, what, Instant(NOW + DAY))
    assert (await store.incident(TENANT, incident.id)).is_open
    assert len(await store.timeline(TENANT, incident.id, "", 10)) == 1
    assert (await store.backlog("incidents.routed"))[0] == 1
    async with store.transaction() as tx:
        assert await tx.holder(release(incident)[0].key) == incident.id


async def test_an_incident_that_was_touched_since_its_end_stays(store: Store) -> None:
    incident = make_incident()
    await write(store, make_opening(incident))
    over = replace(incident.moved(State.RESOLVED, days_ago(10)), updated_at=NOW)
    await write(store, Changes(changed=[over], keys_released=release(incident)))
    assert await expire_all(store, Expiring.INCIDENTS, days_ago(5)) == 0


async def test_old_changes_go_and_the_feed_goes_on(store: Store) -> None:
    _, last = await opened(store), await opened(store)
    position = await store.feed_position()
    assert await expire_all(store, Expiring.CHANGES, Instant(NOW + 1)) == 0, "lists and searches have not followed yet"
    for follow in (store.index_incidents, store.index_words):
        await follow(1_000)
    assert await expire_all(store, Expiring.CHANGES, NOW) == 0
    assert await expire_all(store, Expiring.CHANGES, Instant(NOW + 1)) == 1
    assert [item.incident.id for item in await store.feed_after(None, START, 10)] == [last.id]
    assert await store.feed_position() == position
    later = await opened(store)
    assert [item.incident.id for item in await store.feed_after(None, position, 10)] == [later.id]


@pytest.mark.needs("durable")
async def test_audit_goes_by_whole_chains_and_what_is_left_verifies(backend: Backend) -> None:
    incident = make_incident()
    for at in (days_ago(30), days_ago(10), days_ago(1)):
        store = await backend.open()
        for record in range(3):
            await write(store, Changes(audit=[make_audit(incident, at=at, details={"n": str(record)})]))
        await store.close()
    store = await backend.open()
    await write(store, Changes(audit=[make_audit(incident, at=days_ago(30))]))
    assert await expire_all(store, Expiring.AUDIT, days_ago(5), limit=2) == 6
    statement = f"SELECT {', '.join(AUDIT_COLUMNS)} FROM audit ORDER BY writer, sequence"
    rows = [AuditRow(*row) for row in await backend.query(store, statement)]
    assert sorted({row.at for row in rows}) == [days_ago(30), days_ago(1)], "the run that is on keeps its own"
    for writer in {row.writer for row in rows}:
        assert first_broken(row for row in rows if row.writer == writer) is None
    await write(store, Changes(audit=[make_audit(incident)]))
    await store.close()


async def test_of_a_full_disk_open_incidents_keep_their_rows_where_rows_go_singly(store: Store) -> None:
    if store.kind == "postgresql":
        of_open = await events_of(store, 9, incident=await opened(store))
        assert await expire_all(store, Expiring.FINISHED_EVENTS, days_ago(1)) == 1
        assert await kept(store, of_open) == ["nothing"], "a day goes as a whole"
        return
    of_open = await events_of(store, 9, 8.5, 8, incident=await opened(store))
    of_finished = await events_of(store, 7, 6, incident=await finished(store, days_ago(1)))
    of_none = await events_of(store, 5, 0)
    for _ in range(2):
        await expire_all(store, Expiring.FINISHED_EVENTS, days_ago(1), limit=2)
    assert await kept(store, of_open + of_finished + of_none) == ["all"] * 3 + ["nothing"] * 3 + ["all"]


async def test_every_table_that_goes_with_its_incident_finds_its_rows_by_it(store: Store, backend: Backend) -> None:
    kind = "postgresql" if store.kind == "postgresql" else "sqlite"
    found = {str(table): index for table, index in await backend.query(store, TABLES_WITH_INDEX[kind])}
    tables = {table: index for table, index in found.items() if table not in OWN_END and not table[-1].isdigit()}
    tables.pop("event_default", None)
    assert {"timeline", "delivery"} <= tables.keys()
    assert set(tables.values()) == {"incident_id"}, "add an index on incident_id, or deleting reads the whole table"

"""A unit of work is there as a whole or not at all, whatever interrupts it."""

import asyncio
from dataclasses import replace

import pytest

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.errors import NotFound, StoreUnavailable
from llm_incident_manager.domain.incident import Resolution, ResolutionMethod, Tally
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.timeline import ChangeKind
from llm_incident_manager.ports.changes import ROUTED, BodyRow, Changes, TallyRow
from llm_incident_manager.ports.stores import FeedItem, IncidentQuery, KeyTaken, Position, Store
from tests.support.backends import Backend
from tests.support.builders import (
    NOW,
    TENANT,
    key_of,
    make_delivery,
    make_event_row,
    make_id,
    make_incident,
    make_opening,
    make_work,
)
from tests.support.steps import Dropped, claim, dropped, feed, later, opened, write


async def is_absent(store: Store, changes: Changes) -> bool:
    """Whether nothing of what opening an incident writes is there."""
    (incident,), (event, *_) = changes.opened, changes.events
    with pytest.raises(NotFound):
        await store.incident(TENANT, incident.id)
    with pytest.raises(NotFound):
        await store.event(TENANT, event.id)
    async with store.transaction() as tx:
        held = await tx.holder(key_of(incident))
    backlog, _ = await store.backlog(ROUTED)
    entries = await store.timeline(TENANT, incident.id, "", 10)
    return (held, backlog, list(entries), await store.feed_position()) == (None, 0, [], Position(0, 0))


async def test_all_rows_of_a_unit_are_there_after_it(store: Store, backend: Backend) -> None:
    incident = make_incident()
    changes = make_opening(incident)
    changes.deliveries.append(make_delivery(incident))
    await write(store, changes)

    assert await store.incident(TENANT, incident.id) == incident
    assert await store.incident(TENANT, incident.number) == incident
    stored = await store.event(TENANT, changes.events[0].id)
    assert (stored.row, stored.body) == (changes.events[0], changes.bodies[0].body)
    assert stored.row.disposition is Disposition.NEW
    assert list(await store.timeline(TENANT, incident.id, "", 10)) == changes.timeline
    assert list(await store.deliveries(TENANT, incident.id)) == changes.deliveries
    (change,) = await feed(store, 1)
    assert change == FeedItem(change.position, ChangeKind.OPENED, incident)
    work = [row._replace(fence=1) for row in changes.outbox]
    assert list(await store.claim_work(ROUTED, "worker", NOW, later(60), 10)) == work
    async with store.transaction() as tx:
        assert await tx.holder(key_of(incident)) == incident.id
    assert await backend.query(store, "SELECT resource FROM audit") == [(f"incidents/{incident.id}",)]


async def test_an_error_in_the_block_leaves_nothing(store: Store) -> None:
    changes = make_opening(make_incident())
    with pytest.raises(Dropped):
        async with dropped(store) as tx:
            await tx.write(changes)
    assert await is_absent(store, changes)


async def test_a_cancelled_block_leaves_nothing_and_blocks_nobody(store: Store) -> None:
    changes, written = make_opening(make_incident()), asyncio.Event()

    async def unit() -> None:
        async with store.transaction() as tx:
            await tx.write(changes)
            written.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(unit())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await is_absent(store, changes)


async def test_a_unit_cancelled_within_a_statement_leaves_nothing(store: Store) -> None:
    first = make_opening(make_incident())
    first.events += [make_event_row() for _ in range(3000)]

    async def unit() -> None:
        async with store.transaction() as tx:
            await tx.write(first)
            await asyncio.Event().wait()

    for steps in range(12):  # stops at another await each time
        task = asyncio.create_task(unit())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await is_absent(store, first)


async def test_a_unit_sees_what_it_has_written(store: Store) -> None:
    incident = make_incident()
    async with store.transaction() as tx:
        await tx.write(make_opening(incident))
        assert await tx.holder(key_of(incident)) == incident.id
        assert await tx.incident(TENANT, incident.number) == incident


@pytest.mark.needs("many_connections")
async def test_nobody_else_sees_a_unit_before_its_end(store: Store) -> None:
    changes = make_opening(make_incident())
    async with store.transaction() as tx:
        await tx.write(changes)
        with pytest.raises(NotFound):
            await store.incident(TENANT, changes.opened[0].id)
        assert list(await store.incidents(IncidentQuery(TENANT))) == []
        assert await store.backlog(ROUTED) == (0, None)
    assert await store.incident(TENANT, changes.opened[0].id) == changes.opened[0]


async def test_a_unit_in_which_a_write_failed_cannot_be_committed(store: Store) -> None:
    holder = await opened(store)
    late = make_opening(make_incident(fingerprint=holder.fingerprint))

    async def overlook() -> None:
        async with store.transaction() as tx:
            with pytest.raises(KeyTaken):
                await tx.write(late)

    with pytest.raises(StoreUnavailable):
        await overlook()
    with pytest.raises(NotFound):
        await store.incident(TENANT, late.opened[0].id)


async def test_an_incident_that_is_not_found_spoils_no_unit(store: Store) -> None:
    incident = make_incident()
    async with store.transaction() as tx:
        with pytest.raises(NotFound, match=incident.id):
            await tx.incident(TENANT, incident.id)
        await tx.write(make_opening(incident))
    assert await store.incident(TENANT, incident.id) == incident


async def test_every_field_of_an_incident_comes_back_equal(store: Store) -> None:
    incident = make_incident(
        state=State.RESOLVED,
        severity=Severity.P0,
        incident_type=IncidentType.COMPLIANCE,
        title="Prüfung \U0001f525 'quoted' \"twice\" 100 %",
        description="line\nbreak\ttab \\ backslash",
        labels={"team": "ml-platform", "ключ": "значение", "empty": ""},
        service="chat",
        affected_services=("search", "chat, the other one"),
        environment="production",
        application="assistant",
        provider="openai",
        model="gpt-4o-2024-08-06",
        deployment="eu-west/1",
        runbook_url="https://example.test/runbook?a=b&c=d",
        assignees=("ana", "bo"),
        route="default",
        event_count=2**40,
        tokens=2**50,
        cost_usd=0.1 + 0.2,
        users_affected=17,
        historical=True,
        recurred=True,
        previous_id=make_id(),
        merged_into=make_id(),
        resolution=Resolution("ana", ResolutionMethod.AUTO_ASSISTED_MANUAL, "notes", "cause", later(9)),
        first_seen=later(-100),
        last_seen=later(5),
        updated_at=later(10),
        acknowledged_at=later(1),
        resolved_at=later(9),
        closed_at=later(10),
        revision=7,
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    await write(store, Changes(opened=[incident]))
    found = await store.incident(TENANT, incident.id)
    assert found == incident
    assert found.traceparent == incident.traceparent


async def test_a_change_replaces_what_may_change(store: Store) -> None:
    incident = await opened(store)
    async with store.transaction() as tx:
        found = await tx.incident(TENANT, incident.id)
        changed = found.moved(State.ACKNOWLEDGED, later(3)).changed(later(4), assignees=("ana",), labels={"a": "b"})
        await tx.write(Changes(changed=[changed]))
    found = await store.incident(TENANT, incident.id)
    assert found == changed
    assert (found.revision, found.acknowledged_at) == (3, later(3))


async def test_of_two_changes_of_an_incident_the_later_stands(store: Store) -> None:
    incident = await opened(store)
    first = incident.changed(later(1), title="first")
    second = first.changed(later(2), title="second")
    await write(store, Changes(changed=[first, second]))
    assert await store.incident(TENANT, incident.id) == second


async def test_a_change_of_what_is_not_there_is_refused(store: Store) -> None:
    with pytest.raises(KeyTaken):
        await write(store, Changes(changed=[make_incident()]))


async def test_tallies_add_up_and_are_no_change(store: Store) -> None:
    incident = await opened(store, tokens=10, cost_usd=1.5, users_affected=4)
    tallies = [
        Tally(3, 100, 0.25, 2, later(-50), later(1)),
        Tally(2, 20, 0.5, 9, later(-20), later(7)),
        Tally(1, 0, 0.0, 0, None, None),
    ]
    await write(store, Changes(tallies=[TallyRow(TENANT, incident.id, tally) for tally in tallies]))
    expected = incident
    for tally in tallies:
        expected = expected.counted(tally)
    found = await store.incident(TENANT, incident.id)
    assert found == expected
    assert (found.event_count, found.tokens, found.users_affected, found.revision) == (7, 130, 9, 1)


async def test_incidents_are_read_in_order_of_ids_without_those_that_are_missing(store: Store) -> None:
    first, second, third = [await opened(store) for _ in range(3)]
    async with store.transaction() as tx:
        found = await tx.incidents(TENANT, [third.id, make_incident().id, first.id, third.id])
    assert list(found) == [first, third]
    assert second not in found


@pytest.mark.parametrize("size", [1, 2, 3, 127, 128, 129, 700])
async def test_any_number_of_rows_is_written_and_found(store: Store, size: int) -> None:
    incidents = [make_incident() for _ in range(size)]
    changes = make_opening(*incidents)
    changes.deliveries = [make_delivery(incident) for incident in incidents]
    await write(store, changes)
    await write(store, Changes(changed=[replace(incident, revision=2) for incident in incidents]))
    await write(store, Changes(tallies=[TallyRow(TENANT, incident.id, Tally(1)) for incident in incidents]))
    found = await store.incidents(IncidentQuery(TENANT, limit=2 * size))
    expected = [replace(incident, revision=2, event_count=2) for incident in reversed(incidents)]
    assert list(found) == expected
    told = 2 * size  # what nobody spoke of is in the feed, too: lists and searches follow it
    assert len(await feed(store, told, limit=2 * told)) == told
    assert len(await store.claim_work(ROUTED, "worker", NOW, later(60), 2 * size)) == size
    assert (await store.event(TENANT, changes.events[-1].id)).row == changes.events[-1]


async def test_an_event_may_be_stored_without_its_body(store: Store) -> None:
    incident = await opened(store)
    row = make_event_row(incident, disposition=Disposition.DUPLICATE, duplicate_of=make_id())
    await write(store, Changes(events=[row]))
    assert await store.event(TENANT, row.id) == (row, None, None)


async def test_a_body_is_stored_byte_for_byte(store: Store) -> None:
    row = make_event_row(disposition=Disposition.IGNORED)
    body = bytes(range(256))
    await write(store, Changes(events=[row], bodies=[BodyRow(row.id, TENANT, body, "{}")]))
    assert (await store.event(TENANT, row.id)).body == body


async def test_the_timeline_is_read_in_pages_oldest_first(store: Store) -> None:
    incident = await opened(store)
    changes = make_opening(incident)
    entries = [changes.timeline[0]._replace(id=make_id(), text=f"entry {n}", details={"n": str(n)}) for n in range(5)]
    await write(store, Changes(timeline=entries))
    all_entries = list(await store.timeline(TENANT, incident.id, "", 100))
    assert all_entries[1:] == entries
    page = await store.timeline(TENANT, incident.id, all_entries[1].id, 2)
    assert list(page) == all_entries[2:4]


@pytest.mark.needs("durable")
async def test_what_was_committed_is_there_after_a_restart(backend: Backend) -> None:
    store = await backend.open()
    incident = await opened(store)
    await write(store, Changes(outbox=[make_work(incident)]))
    await store.close()

    again = await backend.open()
    assert await again.incident(TENANT, incident.id) == incident
    assert len(await claim(again)) == 1
    assert len(await feed(again, 1)) == 1
    await again.close()


async def test_a_store_that_is_open_answers_its_check(store: Store) -> None:
    await store.check()

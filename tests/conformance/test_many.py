"""What belongs to many incidents, read in one statement each, is what is read of one; and lists between two places."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from llm_incident_manager.domain.filters import parse, parse_order, place_of
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State, Verb
from llm_incident_manager.domain.relations import Attachment
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import IncidentQuery, Store
from tests.support.builders import TENANT, make_id, make_incident
from tests.support.desk import CALLER, Desk, desk_on
from tests.support.steps import indexed, later, write

ORDERS = ("", "id", "severity desc, create_time", "service, severity", "resolve_time", "resolve_time desc, severity")


@pytest.fixture
async def desk(store: Store) -> Desk:
    return desk_on(store)


async def _attach(desk: Desk, incident: Incident, url: str) -> None:
    draft = Attachment("", TENANT, incident.id, url, "a log", "", "ann", Instant(0))
    await desk.do(lambda tx, changes: desk.linking.attach(tx, changes, CALLER, incident.id, draft))


async def _furnished(desk: Desk) -> list[Incident]:
    """Incidents with a resolved one before it, with links, notes and attachments, and one with nothing."""
    before = await desk.opened("a")
    await desk.move(before, Verb.RESOLVE)
    after, other, bare = await desk.opened("a"), await desk.opened("b"), await desk.opened("c")
    await desk.do(lambda tx, changes: desk.linking.link(tx, changes, CALLER, (after.id, other.id), "ann", "why"))
    for n in range(3):
        await _attach(desk, other, f"https://example.com/{n}")
    return [before, after, other, bare]


async def test_many_timelines_are_those_of_each(desk: Desk) -> None:
    incidents = await _furnished(desk)
    ids = [each.id for each in incidents]
    for limit, kind in ((1, None), (3, None), (100, None), (100, TimelineKind.STATE), (2, TimelineKind.ATTACHMENT)):
        found = await desk.store.timelines(TENANT, ids, limit, kind)
        for id_ in ids:
            assert list(found.get(id_, ())) == list(await desk.store.timeline(TENANT, id_, "", limit, kind))
    assert not await desk.store.timelines(TenantId("other"), ids, 10)


async def test_many_relations_are_those_of_each(desk: Desk) -> None:
    incidents = await _furnished(desk)
    ids = [each.id for each in incidents]
    for limit in (1, 10):
        found = await desk.store.related_of_each(TENANT, ids, limit)
        for id_ in ids:
            assert list(found.get(id_, ())) == list(await desk.store.related(TENANT, id_, (0, ""), limit))
        assert sorted(len(found.get(id_, ())) for id_ in ids) == [0, 1, 1, min(limit, 2)]
    assert not await desk.store.related_of_each(TenantId("other"), ids, 10)


async def test_many_attachments_are_those_of_each(desk: Desk) -> None:
    incidents = await _furnished(desk)
    ids = [each.id for each in incidents]
    for limit in (2, 10):
        found = await desk.store.attachments_of_each(TENANT, ids, limit)
        for id_ in ids:
            assert list(found.get(id_, ())) == list(await desk.store.attachments(TENANT, id_, "", limit))
    assert not await desk.store.attachments_of_each(TenantId("other"), ids, 10)


async def test_incidents_by_id_come_in_order_and_of_one_tenant(desk: Desk) -> None:
    incidents = await _furnished(desk)
    ids = [each.id for each in incidents]
    found = await desk.store.incidents_by_id(TENANT, [*reversed(ids), IncidentId(make_id(99))])
    assert [each.id for each in found] == sorted(ids)
    assert not await desk.store.incidents_by_id(TenantId("other"), ids)


async def _twelve(store: Store) -> None:
    incidents = [
        make_incident(
            severity=Severity(n % 5),
            state=State.RESOLVED if n % 3 == 0 else State.NEW,
            created_at=later(n),
            resolved_at=later(50 + n % 2) if n % 3 == 0 else None,
            service=("chat", "search")[n % 2],
        )
        for n in range(12)
    ]
    await write(store, Changes(opened=incidents))


@pytest.mark.parametrize("copied", [False, True], ids=["stale", "indexed"])
async def test_between_two_places_and_backwards_lies_what_the_whole_list_has_there(
    store: Store, *, copied: bool
) -> None:
    await _twelve(store)
    if copied:
        await indexed(store)
    wanted = IncidentQuery(TENANT, filter=parse('service = "chat" OR severity <= P2'), limit=100)
    for query in (replace(wanted, order=parse_order(order)) for order in ORDERS):
        whole = list(await store.incidents(query))
        assert len(whole) >= 8
        assert list(await store.incidents(replace(query, backwards=True))) == whole[::-1]
        for start, end in ((None, 5), (2, 6), (0, 1), (3, None), (5, 2)):
            after = None if start is None else place_of(whole[start], query.order)
            before = None if end is None else place_of(whole[end], query.order)
            between = whole[0 if start is None else start + 1 : len(whole) if end is None else end]
            bounded = replace(query, after=after, before=before)
            assert _ids(await store.incidents(bounded)) == _ids(between), (query.order, start, end)
            last = replace(bounded, backwards=True, limit=2)
            assert _ids(await store.incidents(last)) == _ids(between[::-1][:2]), (query.order, start, end)


def _ids(incidents: Sequence[Incident]) -> list[str]:
    return [each.id for each in incidents]

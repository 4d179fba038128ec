"""What lists ask follows the change feed a moment behind, and nobody sees that it does."""

from dataclasses import replace

import pytest

from llm_incident_manager.domain import filters
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.retention import Expiring
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Count, IncidentQuery, Store
from tests.support.backends import Backend
from tests.support.builders import TENANT, make_incident
from tests.support.steps import indexed, later, write

NEW = IncidentQuery(TENANT, filters.parse("state = NEW"))
RESOLVED = IncidentQuery(TENANT, filters.parse("state = RESOLVED"))
EU = IncidentQuery(TENANT, filters.parse('labels.region = "eu"'))


async def seen(store: Store, query: IncidentQuery) -> set[str]:
    """The ids of a list; its count agrees."""
    found = {str(incident.id) for incident in await store.incidents(query)}
    assert await store.count_incidents(query) == len(found)
    return found


def ids(*incidents: Incident) -> set[str]:
    return {str(incident.id) for incident in incidents}


@pytest.fixture
async def three(store: Store) -> list[Incident]:
    incidents = [make_incident(labels={"region": "eu"}), make_incident(assignees=("ann",)), make_incident()]
    await write(store, Changes(opened=incidents))
    await indexed(store)
    return incidents


async def test_a_change_is_seen_before_and_after_it_is_indexed(store: Store, three: list[Incident]) -> None:
    first, second, third = three
    gone = first.moved(State.ACKNOWLEDGED, later(1)).moved(State.RESOLVED, later(1))
    named = second.changed(later(1), labels={"region": "eu"}, assignees=())
    await write(store, Changes(changed=[gone, named]))
    for _ in range(2):
        assert await seen(store, NEW) == ids(second, third)
        assert await seen(store, RESOLVED) == ids(first)
        assert await seen(store, EU) == ids(first, second)
        assert await seen(store, IncidentQuery(TENANT, filters.parse("assignees:ann"))) == set()
        await indexed(store)


async def test_pages_join_what_is_indexed_and_what_is_not(store: Store) -> None:
    incidents = [make_incident() for _ in range(30)]
    await write(store, Changes(opened=incidents[::2]))
    await indexed(store)
    await write(store, Changes(opened=incidents[1::2]))
    newest_first = [incident.id for incident in reversed(incidents)]
    for offset in range(0, 40, 10):
        page = await store.incidents(replace(NEW, limit=10, offset=offset))
        assert [incident.id for incident in page] == newest_first[offset : offset + 10]


async def test_counts_by_kind_follow_every_change(store: Store, three: list[Incident]) -> None:
    worse = [incident.changed(later(1), severity=Severity.P0) for incident in three[:2]]
    await write(store, Changes(changed=worse))
    await indexed(store)
    assert await store.count_incidents(IncidentQuery(TENANT)) == 3
    assert await store.count_incidents(IncidentQuery(TENANT, filters.parse("severity = P0"))) == 2
    assert await store.count_incidents(IncidentQuery(TENANT, filters.parse("severity = P2 AND source = shield"))) == 1


async def test_only_so_many_are_counted_one_by_one(store: Store, three: list[Incident]) -> None:
    by_kind = IncidentQuery(TENANT, filters.parse('kind = "prompt_injection"'))
    assert await store.count_up_to(by_kind, 3) == Count(3)
    assert await store.count_up_to(by_kind, 2) == Count(2, at_least=True)
    assert await store.count_up_to(NEW, 2) == Count(3)


async def test_following_ends_when_there_is_nothing_new(store: Store, three: list[Incident]) -> None:
    assert (await store.index_incidents(10), await store.index_words(10)) == (0, 0)
    await write(store, Changes(changed=[three[0].changed(later(1), title="x")]))
    assert (await store.index_incidents(10), await store.index_words(10)) == (1, 1)


async def test_the_copy_forgets_an_incident_that_is_deleted(
    store: Store, backend: Backend, three: list[Incident]
) -> None:
    resolved = three[0].moved(State.ACKNOWLEDGED, later(1)).moved(State.RESOLVED, later(1))
    await write(store, Changes(changed=[resolved]))
    await indexed(store)
    while (await store.expire(Expiring.INCIDENTS, later(99), 10)).more:
        pass
    assert await seen(store, IncidentQuery(TENANT)) == ids(*three[1:])
    assert await seen(store, EU) == set()
    for table in ("incident_index", "incident_document"):
        assert await backend.query(store, f"SELECT count(*) FROM {table}") == [(2,)]


async def test_numbers_go_by_their_value(store: Store) -> None:
    numbers = ["INC-20261120-1000001", "INC-20261121-00009", "INC-20261121-99999", "INC-20261121-100000"]
    await write(store, Changes(opened=[make_incident(number=number) for number in reversed(numbers)]))
    for _ in range(2):
        query = IncidentQuery(TENANT, order=filters.parse_order("number"), limit=3)
        first = await store.incidents(query)
        rest = await store.incidents(replace(query, after=filters.place_of(first[-1], query.order)))
        assert [incident.number for incident in [*first, *rest]] == numbers
        above = IncidentQuery(TENANT, filters.parse('number > "INC-20261121-99999"'))
        assert [incident.number for incident in await store.incidents(above)] == numbers[-1:]
        await indexed(store)

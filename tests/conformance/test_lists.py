"""Lists of incidents: filters, orders, pages and counts."""

from dataclasses import replace

import pytest

from llm_incident_manager.domain.filters import parse, parse_order, place_of
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import IncidentQuery, Store
from tests.support.builders import TENANT, make_incident
from tests.support.steps import indexed, later, write


async def add(store: Store, *given: dict[str, object]) -> list[Incident]:
    incidents = [make_incident(**fields) for fields in given]
    await write(store, Changes(opened=incidents))
    return incidents


@pytest.fixture
async def many(store: Store) -> list[Incident]:
    """Twelve incidents, oldest first, of all severities and two states."""
    given: list[dict[str, object]] = [
        {
            "severity": Severity(n % 5),
            "state": State.RESOLVED if n % 3 == 0 else State.NEW,
            "created_at": later(n),
            "resolved_at": later(50 + n) if n % 3 == 0 else None,
            "service": ("chat", "search")[n % 2],
            "labels": {"team": "a"} if n < 4 else {},
        }
        for n in range(12)
    ]
    return await add(store, *given)


async def test_a_list_begins_with_the_newest(store: Store, many: list[Incident]) -> None:
    assert list(await store.incidents(IncidentQuery(TENANT, limit=5))) == many[:-6:-1]


async def test_an_offset_skips_incidents(store: Store, many: list[Incident]) -> None:
    found = await store.incidents(IncidentQuery(TENANT, limit=3, offset=2))
    assert list(found) == many[::-1][2:5]


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("severity >= P1", lambda i: i.severity <= Severity.P1),
        ('state = "NEW" AND service = "chat"', lambda i: i.state is State.NEW and i.service == "chat"),
        ('labels.team = "a"', lambda i: "team" in i.labels),
        ('NOT service = "chat" OR severity = P4', lambda i: i.service != "chat" or i.severity is Severity.P4),
        ("", lambda i: True),
    ],
    ids=["severity", "and", "label", "or", "empty"],
)
async def test_a_filter_chooses_and_counts(store: Store, many: list[Incident], text: str, matches: object) -> None:
    assert callable(matches)
    expected = [incident for incident in reversed(many) if matches(incident)]
    query = IncidentQuery(TENANT, filter=parse(text), limit=100)
    assert list(await store.incidents(query)) == expected
    assert await store.count_incidents(replace(query, limit=1, offset=3)) == len(expected)


async def test_a_time_of_creation_includes_its_start_and_not_its_end(store: Store, many: list[Incident]) -> None:
    query = IncidentQuery(TENANT, created_from=later(3), created_before=later(6))
    assert list(await store.incidents(query)) == many[3:6][::-1]
    assert await store.count_incidents(query) == 3


@pytest.mark.parametrize(
    "order", ["", "severity desc, create_time", "service, severity", "resolve_time desc", "create_time"]
)
async def test_pages_behind_a_place_are_the_list_without_gap_or_repeat(
    store: Store, many: list[Incident], order: str
) -> None:
    orders = parse_order(order)
    whole = list(await store.incidents(IncidentQuery(TENANT, order=orders, limit=100)))
    assert sorted(incident.id for incident in whole) == [incident.id for incident in many]
    paged: list[Incident] = []
    query = IncidentQuery(TENANT, order=orders, limit=5)
    while page := list(await store.incidents(query)):
        paged += page
        query = replace(query, after=place_of(page[-1], orders))
    assert paged == whole


async def test_alternatives_within_a_span_are_listed_and_counted_once(store: Store, many: list[Incident]) -> None:
    await indexed(store)
    query = IncidentQuery(
        TENANT, parse('service = "chat" OR severity = P1'), created_from=later(2), created_before=later(9)
    )
    expected = [one for one in many[2:9] if one.service == "chat" or one.severity is Severity.P1]
    assert list(await store.incidents(query)) == expected[::-1]
    assert await store.count_incidents(query) == len(expected)


async def test_an_order_goes_by_gravity(store: Store, many: list[Incident]) -> None:
    found = await store.incidents(IncidentQuery(TENANT, order=parse_order("severity desc"), limit=100))
    assert [incident.severity for incident in found] == sorted(incident.severity for incident in many)


async def test_a_list_shows_one_tenant_only(store: Store, many: list[Incident]) -> None:
    elsewhere = TenantId("other")
    (theirs,) = await add(store, {"tenant": elsewhere})
    assert list(await store.incidents(IncidentQuery(elsewhere))) == [theirs]
    assert await store.count_incidents(IncidentQuery(elsewhere)) == 1
    assert await store.count_incidents(IncidentQuery(TENANT)) == len(many)
    assert await store.count_incidents(IncidentQuery(TenantId("third"))) == 0

"""Searches by words: what is found, with what it goes together, and when."""

from dataclasses import replace

import pytest

from llm_incident_manager.domain import filter_match, filters, search
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.timeline import ChangeKind, TimelineKind
from llm_incident_manager.ports.changes import ChangeRow, Changes
from llm_incident_manager.ports.stores import IncidentQuery, Store
from tests.support.builders import NOW, TENANT, make_entry, make_incident
from tests.support.steps import indexed, later, write


def wanted(text: str, **fields: object) -> IncidentQuery:
    return replace(IncidentQuery(TENANT, search=search.parse(text)), **fields)  # type: ignore[arg-type]


async def found(store: Store, query: IncidentQuery) -> list[str]:
    """Titles; the count agrees with them."""
    page = await store.incidents(query)
    assert await store.count_incidents(query) == len(page)
    return [incident.title for incident in page]


@pytest.fixture
async def four(store: Store) -> list[Incident]:
    """Oldest first."""
    incidents = [
        make_incident(title="Latency of the gateway", description="p95 is 9 s", severity=Severity.P1, kind="slow"),
        make_incident(title="Größe überschritten", description="Latency, too", labels={"team": "payments_eu"}),
        make_incident(title="Prompt injection", description="nothing else", service="chat"),
        make_incident(title="Latency again", description="gateway", tenant=TenantId("other")),
    ]
    await write(store, Changes(opened=incidents))
    await indexed(store)
    return incidents


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("latency", ["Größe überschritten", "Latency of the gateway"]),
        ("LATENCY gateway", ["Latency of the gateway"]),
        ("gateway latency", ["Latency of the gateway"]),
        ("late*", ["Größe überschritten", "Latency of the gateway"]),
        ("latency gate*", ["Latency of the gateway"]),
        ("grosse", ["Größe überschritten"]),
        ("GRÖẞE", ["Größe überschritten"]),
        ("größe", ["Größe überschritten"]),
        ("grosse*", ["Größe überschritten"]),
        ("uberschritten", ["Größe überschritten"]),
        ("team", ["Größe überschritten"]),
        ("payments eu", ["Größe überschritten"]),
        ("latency injection", []),
        ("inject", []),
    ],
)
async def test_words_find_in_any_order_and_case(
    store: Store, four: list[Incident], text: str, titles: list[str]
) -> None:
    assert await found(store, wanted(text)) == titles


async def test_a_search_goes_together_with_filter_span_and_order(store: Store, four: list[Incident]) -> None:
    assert await found(store, wanted("latency", filter=filters.parse("severity >= P1"))) == ["Latency of the gateway"]
    assert await found(store, wanted("latency", filter=filters.parse('labels.team = "payments_eu"'))) == [
        "Größe überschritten"
    ]
    assert await found(store, wanted("latency", filter=filters.parse('kind = "slow"'))) == ["Latency of the gateway"]
    assert await found(store, wanted("latency", filter=filters.parse("event_count = 1 AND tokens = 0"))) == [
        "Größe überschritten",
        "Latency of the gateway",
    ]
    assert await found(store, wanted("latency", created_from=later(1))) == []
    for order in ("create_time", "title", "event_count, id"):
        ordered = wanted("latency", order=filters.parse_order(order))
        assert sorted(await found(store, ordered)) == ["Größe überschritten", "Latency of the gateway"]


async def test_pages_of_a_search_give_each_incident_once(store: Store) -> None:
    incidents = [make_incident(title=f"Word number {n}") for n in range(25)]
    await write(store, Changes(opened=incidents))
    await indexed(store)
    query, titles = wanted("word", limit=10), list[str]()
    while page := await store.incidents(query):
        titles += [incident.title for incident in page]
        query = replace(query, after=filters.place_of(page[-1], ()))
    assert titles == [incident.title for incident in reversed(incidents)]


async def test_a_note_and_a_new_title_are_found_once_they_are_indexed(store: Store, four: list[Incident]) -> None:
    first, second = four[0], four[1]
    note = make_entry(first, kind=TimelineKind.NOTE, text="Rolled back to yesterday")
    announced = ChangeRow(first.tenant, IncidentId(first.id), ChangeKind.NOTE, NOW)
    await write(store, Changes(timeline=[note], feed=[announced], changed=[second.changed(later(1), title="Quota")]))
    await indexed(store)
    assert await found(store, wanted("rolled yesterday")) == ["Latency of the gateway"]
    assert await found(store, wanted("quota")) == ["Quota"]
    assert await found(store, wanted("überschritten")) == []


async def test_what_a_search_finds_is_judged_as_it_is_now(store: Store, four: list[Incident]) -> None:
    await write(store, Changes(changed=[four[0].changed(later(1), severity=Severity.P4)]))
    severe = filters.parse("severity >= P1")
    assert await found(store, wanted("latency", filter=severe)) == []


@pytest.mark.parametrize(
    "text",
    [
        "severity >= P2",
        "severity > P2",
        "severity < P3 AND state = NEW",
        "severity <= P1 AND NOT state = NEW",
        "state = (NEW OR CLOSED) AND severity >= P3",
        'service = "chat"',
        'service = "chat" AND severity = P1 AND kind = "slow"',
        'kind = ("slow" OR "wrong") AND source = "probe"',
        'model = "m1" AND state = NEW',
        'severity = P1 AND service = "chat"',
        'source = "probe" AND labels.team = "a"',
        "event_count = 1 AND severity >= P2",
        'service = "chat" OR severity = P0',
    ],
)
async def test_a_search_with_a_filter_finds_what_passes_it(store: Store, text: str) -> None:
    incidents = [
        make_incident(
            title=f"Word {n}",
            severity=Severity(n % 5),
            state=(State.NEW, State.CLOSED, State.RESOLVED)[n % 3],
            kind=("slow", "wrong")[n % 2],
            service=("chat", "rag", "api")[n // 3 % 3],
            source=("probe", "shield")[n // 2 % 2],
            model=("m1", "")[n // 5 % 2],
            labels={"team": "a"} if n % 4 else {},
        )
        for n in range(40)
    ]
    await write(store, Changes(opened=incidents))
    await indexed(store)
    filter_ = filters.parse(text)
    expected = [each.title for each in reversed(incidents) if filter_match.matches(filter_, each)]
    assert expected
    assert await found(store, wanted("word", filter=filter_)) == expected
    by_title = wanted("word", filter=filter_, order=filters.parse_order("severity desc, create_time"))
    assert sorted(await found(store, by_title)) == sorted(expected)


@pytest.mark.parametrize("different", [3, 16, 17, 40])
async def test_a_start_finds_all_words_with_it_be_they_few_or_many(store: Store, different: int) -> None:
    incidents = [make_incident(title=f"Embed{n % different} é{chr(0x4E00 + n)} embargo") for n in range(45)]
    await write(store, Changes(opened=[*incidents, make_incident(title="Embe"), make_incident(title="Embf")]))
    await indexed(store)
    titles = [each.title for each in reversed(incidents)]
    assert await found(store, wanted("embed*")) == titles
    assert await found(store, wanted("embargo embed*")) == titles
    assert await found(store, wanted("embed9*")) == [title for title in titles if title.startswith("Embed9 ")]
    assert await found(store, wanted("embedd*")) == []

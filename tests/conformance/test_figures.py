"""Counts and times over incidents, held against a plain computation in Python."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from operator import attrgetter

import pytest

from llm_incident_manager.domain import figures, filter_match, filters
from llm_incident_manager.domain.figures import Figures, Spread
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import OPEN_STATES, State
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import HOUR, SECOND, Instant
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import IncidentQuery, Store
from tests.support.builders import NOW, TENANT, make_id, make_incident
from tests.support.steps import write

SEED = 20261122


def some_incidents(count: int) -> list[Incident]:
    chance = random.Random(SEED)
    return [_incident(chance) for _ in range(count)]


def _incident(chance: random.Random) -> Incident:
    created = Instant(NOW + chance.randrange(0, 10 * HOUR))
    state = chance.choice(list(State))
    acknowledged = chance.choice([None, Instant(created + chance.randrange(HOUR))])
    resolved = None if state in OPEN_STATES else Instant(created + chance.randrange(5 * HOUR))
    return make_incident(
        state=state,
        severity=chance.choice(list(Severity)),
        incident_type=chance.choice(list(IncidentType)),
        source=chance.choice(["shield", "sentinel", "Ångström", "a"]),
        service=chance.choice(["", "api"]),
        labels=chance.choice([{}, {"team": "payments"}, {"team": "Zürich", "region": "eu"}]),
        provider=chance.choice(["openai", "anthropic", ""]),
        created_at=created,
        first_seen=Instant(created - chance.randrange(HOUR)),
        first_received_at=chance.choice([None, Instant(created - chance.randrange(SECOND))]),
        acknowledged_at=acknowledged,
        resolved_at=resolved,
        event_count=chance.choice([0, 1, 5]),
        historical=chance.random() < 0.2,
        merged_into=IncidentId(make_id()) if chance.random() < 0.2 else None,
    )


def expected(given: Sequence[Incident]) -> Figures:
    news = [each for each in given if each.event_count and not each.historical]
    return Figures(
        len(given),
        sum(each.is_open for each in given),
        spread([each.created_at - each.first_seen for each in news]),
        spread([each.created_at - each.first_received for each in news]),
        spread([each.acknowledged_at - each.created_at for each in given if each.acknowledged_at is not None]),
        spread([each.resolved_at - each.created_at for each in given if each.resolved_at is not None]),
    )


def spread(durations: list[int]) -> Spread:
    ordered = sorted(durations)
    if not ordered:
        return Spread()
    rank = [ordered[ceil(len(ordered) * share / 100) - 1] for share in (50, 95)]
    return Spread(len(ordered), sum(ordered), *rank)


VALUES: dict[str, Callable[[Incident], str]] = {
    "severity": lambda each: each.severity.name,
    "state": lambda each: each.state.value,
    "incident_type": lambda each: each.incident_type.value,
    "team": lambda each: each.labels.get("team", ""),
}


def grouped(given: Sequence[Incident], field: str) -> list[tuple[str, Figures]]:
    value: Callable[[Incident], str] = VALUES.get(field) or attrgetter(field)
    parts: dict[str, list[Incident]] = {}
    for each in given:
        parts.setdefault(value(each), []).append(each)
    found = [(name, expected(part)) for name, part in parts.items()]
    return sorted(found, key=lambda item: (-item[1].incidents, item[0]))


@pytest.mark.parametrize("text", ["", 'severity >= P1 AND source = "shield"', 'service = "nowhere"'])
async def test_figures_are_those_of_a_plain_computation(store: Store, text: str) -> None:
    given = some_incidents(150)
    await write(store, Changes(opened=given))
    await write(store, Changes(opened=[replace(make_incident(), tenant=TenantId("another"))]))
    asked = filters.parse(text) if text else None
    start, end = Instant(NOW + HOUR), Instant(NOW + 9 * HOUR)
    query = IncidentQuery(TENANT, asked, created_from=start, created_before=end, limit=1)
    counted = [
        each
        for each in given
        if start <= each.created_at < end
        and each.merged_into is None
        and (asked is None or filter_match.matches(asked, each))
    ]
    for field in ("", *figures.GROUPS):
        table = await store.figures(query, field)
        assert table.total == expected(counted)
        groups = grouped(counted, field) if field else []
        assert list(table.groups) == groups, field
        assert table.group_count == len(groups)


async def test_of_many_groups_the_largest_are_shown_and_all_are_counted(store: Store) -> None:
    given = [make_incident(source=f"source {n:04d}") for n in range(figures.MOST_GROUPS + 5)]
    await write(store, Changes(opened=[*given, make_incident(source="source 1004")]))
    table = await store.figures(IncidentQuery(TENANT), "source")
    assert (len(table.groups), table.group_count) == (figures.MOST_GROUPS, figures.MOST_GROUPS + 5)
    assert [name for name, _ in table.groups[:2]] == ["source 1004", "source 0000"]

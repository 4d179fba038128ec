"""Trends and SLA attainment, held against a plain computation in Python."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from zoneinfo import ZoneInfo

from llm_incident_manager.domain import calendar, filter_match, filters, sla
from llm_incident_manager.domain.calendar import Interval
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import OPEN_STATES, State
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import TARGETS, Promise, Target, Targets
from llm_incident_manager.domain.time import DAY, HOUR, Instant
from llm_incident_manager.domain.trends import MOST_VALUES, Attained, Kept
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import IncidentQuery, Store
from tests.conformance.test_figures import expected, grouped, some_incidents
from tests.support.builders import NOW, TENANT, make_id, make_incident
from tests.support.steps import write

BERLIN = ZoneInfo("Europe/Berlin")
SEED = 20261122


def in_steps(given: Sequence[Incident], start: Instant, end: Instant) -> list[Incident]:
    return [each for each in given if start <= each.created_at < end and each.merged_into is None]


async def test_each_step_has_the_figures_of_a_plain_computation(store: Store) -> None:
    given = some_incidents(120)
    await write(store, Changes(opened=[*given, replace(make_incident(), tenant=TenantId("another"))]))
    start, end = Instant(NOW + HOUR + 7), Instant(NOW + 9 * HOUR)
    query = IncidentQuery(TENANT, created_from=start, created_before=end)
    for interval in Interval:
        boundaries = calendar.steps(start, end, interval, BERLIN)
        for field in ("", "severity", "team", "source"):
            found = await store.trend(query, field, boundaries)
            assert [(step.start, step.end) for step in found.steps] == list(pairwise(boundaries))
            for step in found.steps:
                there = in_steps(given, step.start, step.end)
                assert step.figures == expected(there)
                assert list(step.groups) == (grouped(there, field) if field else [])
        everything = await store.trend(query, "source", boundaries)
        sources = {each.source for each in in_steps(given, start, end)}
        assert everything.value_count == len(everything.values) == len(sources)


async def test_of_many_values_a_trend_follows_the_largest(store: Store) -> None:
    given = [make_incident(source=f"source {n:02d}") for n in range(MOST_VALUES + 5)]
    await write(store, Changes(opened=[*given, make_incident(source="source 24")]))
    boundaries = (Instant(NOW - HOUR), Instant(NOW + HOUR))
    found = await store.trend(IncidentQuery(TENANT), "source", boundaries)
    assert (len(found.values), found.value_count) == (MOST_VALUES, MOST_VALUES + 5)
    assert list(found.values[:2]) == ["source 24", "source 00"]
    assert found.steps[0].figures.incidents == MOST_VALUES + 6


def with_promises(count: int) -> list[Incident]:
    chance = random.Random(SEED)

    def one() -> Incident:
        created = Instant(NOW + chance.randrange(10 * HOUR))
        state = chance.choice(list(State))
        return make_incident(
            state=state,
            severity=chance.choice(list(Severity)),
            labels=chance.choice([{}, {"team": "payments"}]),
            created_at=created,
            acknowledged_at=chance.choice([None, Instant(created + chance.randrange(6 * HOUR))]),
            resolved_at=None if state in OPEN_STATES else Instant(created + chance.randrange(3 * DAY)),
            merged_into=IncidentId(make_id()) if chance.random() < 0.1 else None,
        )

    exact = make_incident(severity=Severity.P0, acknowledged_at=Instant(NOW + 300_000_000))
    return [*(one() for _ in range(count)), exact]


def attained(given: Sequence[Incident], targets: Targets, now: Instant) -> Attained:
    given = [each for each in given if each.merged_into is None]
    judged = [(each, sla.judge(each, now, targets)) for each in given]
    kept = []
    for promise in Promise:
        made = [(each, found) for each, found in judged if found.deadline(promise) is not None]
        breached = sum(found.breached(promise) for _, found in made)
        done = [
            each.acknowledged_at or each.resolved_at if promise is Promise.ACKNOWLEDGE else each.resolved_at
            for each, _ in made
        ]
        pending = sum(at is None and not found.breached(promise) for at, (_, found) in zip(done, made, strict=True))
        kept.append(Kept(len(made) - breached - pending, breached, pending))
    return Attained(len(given), *kept)


async def test_attainment_is_what_judging_each_incident_gives(store: Store) -> None:
    given = with_promises(120)
    await write(store, Changes(opened=given))
    now = Instant(NOW + 12 * HOUR)
    values: dict[str, Callable[[Incident], str]] = {
        "severity": lambda each: each.severity.name,
        "team": lambda each: each.labels.get("team", ""),
    }
    for targets in (TARGETS, dict.fromkeys(Severity, Target(None, 2 * HOUR))):
        for text in ("", "severity >= P2"):
            asked = filters.parse(text)
            counted = [each for each in given if filter_match.matches(asked, each)]
            for field, value in values.items():
                found = await store.attainment(IncidentQuery(TENANT, asked), field, targets, now)
                assert found.total == attained(counted, targets, now)
                assert found.group_count == len(found.groups)
                for name, figures in found.groups:
                    assert figures == attained([each for each in counted if value(each) == name], targets, now)


async def test_of_nothing_there_is_no_attainment(store: Store) -> None:
    found = await store.attainment(IncidentQuery(TENANT), "team", TARGETS, NOW)
    assert (found.total, found.groups, found.group_count) == (Attained(), [], 0)
    assert found.total.resolve.attainment is None

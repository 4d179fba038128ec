"""Severities in every spelling, and the deadlines that go with them."""

import pytest

from llm_incident_manager.domain import severity, sla
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import Sla
from llm_incident_manager.domain.time import HOUR, MINUTE, Instant
from tests.support.builders import NOW, make_id, make_incident


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("critical", "P0"), ("CRITICAL", "P0"), ("Sev0", "P0"), ("SEV-1", "P1"), ("high", "P1"), ("Major", "P1"),
        ("medium", "P2"), ("WARNING", "P2"), ("warn", "P2"), ("low", "P3"), ("minor", "P3"), ("info", "P4"),
        ("none", "P4"), ("maintenance", "P4"), ("p3", "P3"), (" P2 ", "P2"), ("SEVERITY_P1", "P1"), ("sev 2", "P2"),
        ("error", "P1"),
    ],
)  # fmt: skip
def test_words_that_producers_use(word: str, meant: str) -> None:
    assert severity.normalise(word) is Severity[meant]


@pytest.mark.parametrize("word", ["", "banana", "P5", "sev9", "criticalish"])
def test_words_that_nobody_agreed_on_mean_nothing(word: str) -> None:
    assert severity.normalise(word) is None


def judged(severity: Severity, now: Instant, **fields: object) -> Sla:
    return sla.judge(make_incident(severity=severity, created_at=NOW, **fields), now)


def test_breaches_are_computed_for_the_moment_asked() -> None:
    before = judged(Severity.P0, Instant(NOW + 5 * MINUTE))
    after = judged(Severity.P0, Instant(NOW + 16 * MINUTE))
    assert (before.acknowledge_breached, before.resolve_breached) == (False, False)
    assert (after.acknowledge_breached, after.resolve_breached) == (True, True)


def test_what_was_done_in_time_stays_kept() -> None:
    done, much_later = Instant(NOW + 4 * MINUTE), Instant(NOW + 99 * HOUR)
    kept = judged(Severity.P0, much_later, acknowledged_at=done, resolved_at=done)
    assert (kept.acknowledge_breached, kept.resolve_breached) == (False, False)


def test_resolving_counts_as_acknowledging() -> None:
    assert not judged(Severity.P1, Instant(NOW + 99 * HOUR), resolved_at=Instant(NOW + MINUTE)).acknowledge_breached


def test_p4_has_no_promise_to_acknowledge() -> None:
    assert judged(Severity.P4, Instant(NOW + 99 * HOUR)).acknowledge_by is None


def test_what_was_merged_has_ended_with_that() -> None:
    other = IncidentId(make_id())
    ended = judged(Severity.P0, Instant(NOW + HOUR), merged_into=other, closed_at=Instant(NOW + MINUTE))
    assert (ended.acknowledge_breached, ended.resolve_breached) == (False, False)


@pytest.mark.parametrize(
    ("fields", "at", "due"),
    [
        ({}, 0, 5 * MINUTE + 1),
        ({}, 5 * MINUTE, 5 * MINUTE + 1),
        ({"acknowledged_at": NOW}, 0, 15 * MINUTE + 1),
        ({"acknowledge_breached_at": NOW}, 6 * MINUTE, 15 * MINUTE + 1),
        ({}, 6 * MINUTE, 6 * MINUTE),
        ({"acknowledge_breached_at": NOW}, HOUR, HOUR),
        ({"acknowledge_breached_at": NOW, "resolve_breached_at": NOW}, HOUR, None),
        ({"acknowledged_at": NOW, "resolve_breached_at": NOW}, HOUR, None),
        ({"state": State.RESOLVED, "resolved_at": NOW}, 0, None),
    ],
    ids=[
        "both to come", "on the deadline", "acknowledged", "one recorded", "one broken and not recorded",
        "the other broken", "both recorded", "all done", "over",
    ],
)  # fmt: skip
def test_when_its_promises_are_looked_at_next(fields: dict[str, object], at: int, due: int | None) -> None:
    incident = make_incident(severity=Severity.P0, created_at=NOW, **fields)
    expected = None if due is None else NOW + due
    assert sla.first_deadline(incident, Instant(NOW + at)) == expected


@pytest.mark.parametrize("word", ["unknown-impact", "UNKNOWN_IMPACT", "Unknown impact"])
def test_an_impact_nobody_knows_is_the_least_severe_in_any_spelling(word: str) -> None:
    assert severity.normalise(word) is Severity.P4

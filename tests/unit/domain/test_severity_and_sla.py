"""Severities in every spelling, and the deadlines that go with them."""

import pytest

from llm_incident_manager.domain import severity, sla
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import HOUR, MINUTE, Instant
from tests.support.builders import NOW


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


def test_breaches_are_computed_for_the_moment_asked() -> None:
    before = sla.judge(Severity.P0, NOW, None, None, Instant(NOW + 5 * MINUTE))
    after = sla.judge(Severity.P0, NOW, None, None, Instant(NOW + 16 * MINUTE))
    assert (before.acknowledge_breached, before.resolve_breached) == (False, False)
    assert (after.acknowledge_breached, after.resolve_breached) == (True, True)


def test_what_was_done_in_time_stays_kept() -> None:
    done, much_later = Instant(NOW + 4 * MINUTE), Instant(NOW + 99 * HOUR)
    kept = sla.judge(Severity.P0, NOW, done, done, much_later)
    assert (kept.acknowledge_breached, kept.resolve_breached) == (False, False)


def test_resolving_counts_as_acknowledging() -> None:
    kept = sla.judge(Severity.P1, NOW, None, Instant(NOW + MINUTE), Instant(NOW + 99 * HOUR))
    assert not kept.acknowledge_breached


def test_p4_has_no_promise_to_acknowledge() -> None:
    assert sla.judge(Severity.P4, NOW, None, None, Instant(NOW + 99 * HOUR)).acknowledge_by is None


@pytest.mark.parametrize("word", ["unknown-impact", "UNKNOWN_IMPACT", "Unknown impact"])
def test_an_impact_nobody_knows_is_the_least_severe_in_any_spelling(word: str) -> None:
    assert severity.normalise(word) is Severity.P4

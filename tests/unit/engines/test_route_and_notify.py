"""Who is told, when it is tried again, and when it is given up."""

import pytest

from llm_incident_manager.domain.policy import NotifyReason, Route
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines import notify, route
from llm_incident_manager.engines.notify import RetryPolicy
from tests.support.builders import NOW, make_incident

DEFAULT = Route("default", ("log", "hook"), Severity.P2)


@pytest.mark.parametrize(
    ("fields", "chosen", "decision", "reason"),
    [
        ({"severity": Severity.P2}, DEFAULT, "Tell", "opened"),
        ({"severity": Severity.P3}, DEFAULT, "Quiet", "below_min_severity"),
        ({"historical": True, "severity": Severity.P0}, DEFAULT, "Quiet", "historical"),
        ({"severity": Severity.P0}, Route("default", (), Severity.P4), "Quiet", "no_channel"),
        ({"snoozed_until": Instant(NOW + SECOND)}, DEFAULT, "Quiet", "snoozed"),
        ({"snoozed_until": NOW}, DEFAULT, "Tell", "opened"),
    ],
)
def test_routes(fields: dict[str, object], chosen: Route, decision: str, reason: str) -> None:
    found = route.decide(make_incident(**fields), NotifyReason.OPENED, chosen, NOW)
    assert (type(found).__name__, found.reason) == (decision, reason)


def outcome(attempts: int, **given: object) -> notify.Outcome:
    facts: dict[str, object] = {
        "ok": False,
        "retryable": True,
        "retry_after": None,
        "now": NOW,
        "policy": RetryPolicy(),
    }
    return notify.decide("row", attempts, **{**facts, **given})  # type: ignore[arg-type]  # facts of one call


def test_what_the_channel_took_is_sent() -> None:
    assert outcome(1, ok=True) == notify.Sent()


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 5), (2, 10), (3, 20), (4, 40)])
def test_waits_double_and_spread_by_up_to_a_quarter(attempts: int, seconds: int) -> None:
    again = outcome(attempts)
    assert isinstance(again, notify.Again)
    assert seconds * SECOND <= again.due_at - NOW < seconds * SECOND * 1.25


def test_the_last_attempt_gives_up_and_says_so() -> None:
    assert outcome(5) == notify.GiveUp("5 attempts failed")


def test_a_refusal_for_good_gives_up_at_once() -> None:
    assert isinstance(outcome(1, retryable=False), notify.GiveUp)


def test_the_channels_wish_counts_when_it_is_longer_and_is_capped() -> None:
    longer, absurd = outcome(1, retry_after=60.0), outcome(1, retry_after=1e9)
    assert isinstance(longer, notify.Again)
    assert isinstance(absurd, notify.Again)
    assert longer.due_at - NOW >= 60 * SECOND
    assert absurd.due_at - NOW <= 3_600 * SECOND * 1.25


def test_the_spread_is_the_same_in_every_replay() -> None:
    assert outcome(2) == outcome(2)


def test_the_dedup_key_names_incident_revision_and_reason() -> None:
    assert notify.dedup_key("i", 3, "opened") == "i:3:opened"

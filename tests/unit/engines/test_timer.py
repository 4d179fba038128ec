"""What a timer that is due means, and when what failed is tried again."""

from dataclasses import replace

import pytest

from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import TARGETS, Broken, Promise
from llm_incident_manager.domain.time import HOUR, MINUTE, SECOND, Instant
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.engines import timer
from llm_incident_manager.engines.timer import Breach, Lapse, Wait, Wake, Why
from tests.support.builders import NOW, make_incident


@pytest.mark.parametrize(
    ("fields", "late", "expected"),
    [
        # On time, or nearly so, nobody has to hear of it.
        ({"snoozed_until": NOW}, 0, Wake(0)),
        ({"snoozed_until": NOW}, 2 * SECOND, Wake(0)),
        # After an outage it means the same, and tells how late it was.
        ({"snoozed_until": NOW}, HOUR, Wake(HOUR)),
        # What was ended or woken meanwhile needs nothing.
        ({"snoozed_until": NOW, "state": State.RESOLVED}, 0, Lapse(Why.INCIDENT_OVER)),
        ({"snoozed_until": None}, 0, Lapse(Why.NOT_SNOOZED)),
    ],
)
def test_a_snooze_timer(fields: dict[str, object], late: int, expected: timer.Decision) -> None:
    assert timer.decide(TimerKind.SNOOZE, NOW, make_incident(**fields), Instant(NOW + late), TARGETS) == expected


ACKNOWLEDGE_BY, RESOLVE_BY = Instant(NOW + 5 * MINUTE), Instant(NOW + 15 * MINUTE)


def unseen(late_by: int = 0) -> Broken:
    return Broken(Promise.ACKNOWLEDGE, ACKNOWLEDGE_BY, late_by)


def unsolved(late_by: int = 0) -> Broken:
    return Broken(Promise.RESOLVE, RESOLVE_BY, late_by)


@pytest.mark.parametrize(
    ("fields", "now", "expected"),
    [
        # On time: the one that is broken, and when the other one will be.
        ({}, ACKNOWLEDGE_BY + SECOND, Breach((unseen(),), Instant(RESOLVE_BY + 1))),
        ({"acknowledged_at": NOW}, RESOLVE_BY + SECOND, Breach((unsolved(),), None)),
        ({"acknowledge_breached_at": NOW}, RESOLVE_BY + SECOND, Breach((unsolved(),), None)),
        # After an outage both at once, each with how late it is noticed.
        ({}, RESOLVE_BY + HOUR, Breach((unseen(HOUR + 10 * MINUTE), unsolved(HOUR)), None)),
        # Acknowledged in time: the next deadline; acknowledged too late and before anybody looked: it was broken.
        ({"acknowledged_at": NOW}, ACKNOWLEDGE_BY + SECOND, Wait(Instant(RESOLVE_BY + 1))),
        (
            {"acknowledged_at": Instant(ACKNOWLEDGE_BY + 1)}, ACKNOWLEDGE_BY + SECOND,
            Breach((unseen(),), Instant(RESOLVE_BY + 1)),
        ),
        # A lower severity leaves more time.
        ({"severity": Severity.P2}, ACKNOWLEDGE_BY + SECOND, Wait(Instant(NOW + HOUR + 1))),
        ({"severity": Severity.P4}, ACKNOWLEDGE_BY + SECOND, Wait(Instant(NOW + 72 * HOUR + 1))),
        # Each is recorded once.
        ({"acknowledge_breached_at": NOW}, ACKNOWLEDGE_BY + SECOND, Wait(Instant(RESOLVE_BY + 1))),
        ({"acknowledge_breached_at": NOW, "resolve_breached_at": NOW}, RESOLVE_BY + 1, Lapse(Why.NOTHING_LEFT)),
        # What has ended in time broke nothing; what ended too late did, and what another incident took over did not.
        ({"state": State.RESOLVED, "resolved_at": NOW}, RESOLVE_BY + SECOND, Lapse(Why.INCIDENT_OVER)),
        (
            {"state": State.RESOLVED, "acknowledged_at": NOW, "resolved_at": Instant(RESOLVE_BY + 1)},
            RESOLVE_BY + SECOND, Breach((unsolved(),), None),
        ),
        (
            {"state": State.CLOSED, "merged_into": "other", "closed_at": Instant(RESOLVE_BY + 1)},
            RESOLVE_BY + SECOND, Lapse(Why.INCIDENT_OVER),
        ),
    ],
)  # fmt: skip
def test_a_timer_of_promises(fields: dict[str, object], now: int, expected: timer.Decision) -> None:
    incident = make_incident(**{"severity": Severity.P0, "created_at": NOW, **fields})
    due = Instant(ACKNOWLEDGE_BY + 1)
    decision = timer.decide(TimerKind.SLA, due, incident, Instant(now), TARGETS)
    if isinstance(decision, Breach):
        # A microsecond behind the deadline is when it is broken.
        rounded = [replace(each, late_by=-(-each.late_by // SECOND) * SECOND) for each in decision.broken]
        decision = replace(decision, broken=tuple(rounded))
    assert decision == expected


def test_a_promise_that_a_higher_severity_breaks_is_late_only_since_then() -> None:
    raised = Instant(NOW + HOUR)
    incident = make_incident(severity=Severity.P0, created_at=NOW, acknowledged_at=NOW)
    decision = timer.decide(TimerKind.SLA, raised, incident, Instant(raised + SECOND), TARGETS)
    assert decision == Breach((unsolved(),), None)


def test_a_timer_of_an_incident_that_is_gone_means_nothing() -> None:
    assert timer.decide(TimerKind.SNOOZE, NOW, None, NOW, TARGETS) == Lapse(Why.INCIDENT_GONE)


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 2), (5, 16), (12, 2_048), (13, 3_600), (999, 3_600)])
def test_waits_double_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert timer.again(attempts, NOW) == NOW + seconds * SECOND

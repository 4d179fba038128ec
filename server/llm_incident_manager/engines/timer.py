"""Decides what a timer that is due means for its incident as it is now, and when to try again what failed."""

from dataclasses import dataclass
from enum import StrEnum

from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import HOUR, SECOND, Instant
from llm_incident_manager.domain.timers import TimerKind

ON_TIME = 2 * SECOND
"""What runs within it counts as on time."""

LONGEST_WAIT = HOUR


class Why(StrEnum):
    """Why a due timer means nothing any more."""

    INCIDENT_GONE = "incident_gone"
    INCIDENT_OVER = "incident_over"
    NOT_SNOOZED = "not_snoozed"


@dataclass(frozen=True, slots=True)
class Wake:
    """The snooze is over: people are told again. `late_by` is 0 on time, otherwise microseconds."""

    late_by: int


@dataclass(frozen=True, slots=True)
class Lapse:
    """Nothing is to be done."""

    why: Why


Decision = Wake | Lapse


def decide(kind: TimerKind, due_at: Instant, incident: Incident | None, now: Instant) -> Decision:
    """What a timer of that kind means. After an outage it means the same, only late."""
    if incident is None:
        return Lapse(Why.INCIDENT_GONE)
    if not incident.is_open:
        return Lapse(Why.INCIDENT_OVER)
    match kind:
        case TimerKind.SNOOZE:
            return Lapse(Why.NOT_SNOOZED) if incident.snoozed_until is None else Wake(late_by(due_at, now))


def late_by(due_at: Instant, now: Instant) -> int:
    """How late it is, in microseconds; 0 when that is on time."""
    late = now - due_at
    return late if late > ON_TIME else 0


def again(attempts: int, now: Instant) -> Instant:
    """When to try again after so many attempts: a second, then twice as long each time, never given up."""
    return Instant(now + min(LONGEST_WAIT, SECOND << min(attempts - 1, 20)))

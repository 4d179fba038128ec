"""Decides what a timer that is due means for its incident as it is now, and when to try again what failed."""

from dataclasses import dataclass
from enum import StrEnum

from llm_incident_manager.domain import sla
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.sla import Broken, Targets
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
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True, slots=True)
class Wake:
    """The snooze is over: people are told again. `late_by` is 0 on time, otherwise microseconds."""

    late_by: int


@dataclass(frozen=True, slots=True)
class Breach:
    """Promises were broken; `then` is when the next one would be, if there is one."""

    broken: tuple[Broken, ...]
    then: Instant | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing is due before `until`: what it was set for has been done, or is due later than it was."""

    until: Instant


@dataclass(frozen=True, slots=True)
class Lapse:
    """Nothing is to be done."""

    why: Why


Decision = Wake | Breach | Wait | Lapse


def decide(kind: TimerKind, due_at: Instant, incident: Incident | None, now: Instant, targets: Targets) -> Decision:
    """What a timer of that kind means. After an outage it means the same, only late."""
    if incident is None:
        return Lapse(Why.INCIDENT_GONE)
    match kind:
        case TimerKind.SNOOZE:
            return _snooze(due_at, incident, now)
        case TimerKind.SLA:
            return _sla(due_at, incident, now, targets)


def _snooze(due_at: Instant, incident: Incident, now: Instant) -> Decision:
    if not incident.is_open:
        return Lapse(Why.INCIDENT_OVER)
    return Lapse(Why.NOT_SNOOZED) if incident.snoozed_until is None else Wake(late_by(due_at, now))


def _sla(due_at: Instant, incident: Incident, now: Instant, targets: Targets) -> Decision:
    """What was broken is recorded even when the incident has ended since, as long as it has not become another's."""
    if incident.merged_into is not None:
        return Lapse(Why.INCIDENT_OVER)
    judged = sla.judge(incident, now, targets)
    missed = [(each, deadline) for each in sla.broken(incident, judged) if (deadline := judged.deadline(each))]
    then = sla.next_deadline(incident, judged, now)
    if missed:
        late = [Broken(each, by, late_by(max(by, due_at), now)) for each, by in missed]
        return Breach(tuple(late), then)
    if then is not None:
        return Wait(then)
    return Lapse(Why.NOTHING_LEFT if incident.is_open else Why.INCIDENT_OVER)


def late_by(due_at: Instant, now: Instant) -> int:
    """How late it is, in microseconds; 0 when that is on time."""
    late = now - due_at
    return late if late > ON_TIME else 0


def again(attempts: int, now: Instant) -> Instant:
    """When to try again after so many attempts: a second, then twice as long each time, never given up."""
    return Instant(now + min(LONGEST_WAIT, SECOND << min(attempts - 1, 20)))

"""What is agreed for a severity: when to acknowledge and when to resolve. The time runs from the opening and stops for
nothing: a snooze only silences, and a reopened incident goes on as if it had not been resolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import HOUR, MINUTE, Instant


class Promise(StrEnum):
    """What was promised."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Target:
    """Microseconds from opening to acknowledgement (None: no such promise) and to resolution."""

    acknowledge: int | None
    resolve: int


Targets = Mapping[Severity, Target]

TARGETS: Targets = {
    Severity.P0: Target(5 * MINUTE, 15 * MINUTE),
    Severity.P1: Target(15 * MINUTE, 1 * HOUR),
    Severity.P2: Target(1 * HOUR, 4 * HOUR),
    Severity.P3: Target(4 * HOUR, 24 * HOUR),
    Severity.P4: Target(None, 72 * HOUR),
}


@dataclass(frozen=True, slots=True)
class Sla:
    """Deadlines of one incident and whether they were missed."""

    acknowledge_by: Instant | None
    resolve_by: Instant
    acknowledge_breached: bool
    resolve_breached: bool

    def breached(self, promise: Promise) -> bool:
        """Whether that promise was broken."""
        return self.acknowledge_breached if promise is Promise.ACKNOWLEDGE else self.resolve_breached

    def deadline(self, promise: Promise) -> Instant | None:
        """Until when it had to be kept; None when it was not made."""
        return self.acknowledge_by if promise is Promise.ACKNOWLEDGE else self.resolve_by


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept until its deadline. `late_by`: by how many microseconds that was noticed too late; 0
    when it was on time."""

    promise: Promise
    deadline: Instant
    late_by: int


def judge(incident: Incident, now: Instant, targets: Targets = TARGETS) -> Sla:
    """The deadlines that hold for the severity as it is now, and whether each was missed by `now`. What was merged
    into another incident has ended with that."""
    target, opened = targets[incident.severity], incident.created_at
    resolve_by = Instant(opened + target.resolve)
    acknowledge_by = None if target.acknowledge is None else Instant(opened + target.acknowledge)
    ended = _ended(incident)
    taken = incident.acknowledged_at if incident.acknowledged_at is not None else ended
    return Sla(
        acknowledge_by,
        resolve_by,
        acknowledge_breached=acknowledge_by is not None and (now if taken is None else taken) > acknowledge_by,
        resolve_breached=(now if ended is None else ended) > resolve_by,
    )


def broken(incident: Incident, judged: Sla) -> tuple[Promise, ...]:
    """The promises that are broken, and whose breach nobody has recorded yet."""
    return tuple(each for each in Promise if judged.breached(each) and _recorded(incident, each) is None)


def next_deadline(incident: Incident, judged: Sla, now: Instant) -> Instant | None:
    """The first moment after `now` at which a promise is broken, if nothing happens until then."""
    if not incident.is_open:
        return None
    due = [judged.resolve_by]
    if incident.acknowledged_at is None and judged.acknowledge_by is not None:
        due.append(judged.acknowledge_by)
    return min((Instant(each + 1) for each in due if each >= now), default=None)


def first_deadline(incident: Incident, now: Instant, targets: Targets = TARGETS) -> Instant | None:
    """When to look at its promises next: at once if one is broken that nobody has recorded, as one may be that a higher
    severity has brought forward. None when none can be broken any more."""
    judged = judge(incident, now, targets)
    return now if incident.is_open and broken(incident, judged) else next_deadline(incident, judged, now)


def _recorded(incident: Incident, promise: Promise) -> Instant | None:
    return incident.acknowledge_breached_at if promise is Promise.ACKNOWLEDGE else incident.resolve_breached_at


def _ended(incident: Incident) -> Instant | None:
    return incident.closed_at if incident.merged_into is not None else incident.resolved_at

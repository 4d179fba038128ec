"""What is agreed for a severity: when to acknowledge and when to resolve. Breaches are computed on read."""

from collections.abc import Mapping
from dataclasses import dataclass

from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import HOUR, MINUTE, Instant


@dataclass(frozen=True, slots=True)
class Target:
    """Microseconds from opening to acknowledgement (None: no such promise) and to resolution."""

    acknowledge: int | None
    resolve: int


TARGETS: Mapping[Severity, Target] = {
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


def judge(
    severity: Severity, opened: Instant, acknowledged: Instant | None, resolved: Instant | None, now: Instant
) -> Sla:
    """The deadlines that hold for the severity as it is now, and whether each was missed by `now`."""
    target = TARGETS[severity]
    resolve_by = Instant(opened + target.resolve)
    acknowledge_by = None if target.acknowledge is None else Instant(opened + target.acknowledge)
    taken = acknowledged if acknowledged is not None else resolved
    return Sla(
        acknowledge_by,
        resolve_by,
        acknowledge_breached=acknowledge_by is not None and (now if taken is None else taken) > acknowledge_by,
        resolve_breached=(now if resolved is None else resolved) > resolve_by,
    )

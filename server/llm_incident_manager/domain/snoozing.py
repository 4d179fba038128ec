"""When a snooze ends before its time. Pure; who is told, and how, is decided elsewhere."""

from enum import StrEnum

from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State


class Ending(StrEnum):
    """Why a snooze is over."""

    MERGED = "merged"
    RESOLVED = "resolved"
    SEVERITY_RAISED = "severity_raised"
    ESCALATED = "escalated"
    TIME = "time"


def ending(before: Incident, after: Incident) -> Ending | None:
    """Why the change ends the incident's snooze; None when it does not, or there is none.

    What got worse, or what somebody wants a higher tier to hear of, must not wait for the morning.
    """
    if before.snoozed_until is None:
        return None
    if after.merged_into is not None:
        return Ending.MERGED
    if not after.is_open:
        return Ending.RESOLVED
    if after.severity < before.severity:
        return Ending.SEVERITY_RAISED
    escalated = after.state is State.ESCALATED and before.state is not State.ESCALATED
    return Ending.ESCALATED if escalated else None

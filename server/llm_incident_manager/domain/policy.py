"""Who is told: routes choose channels. One default route now; a channel is a name for a way to reach somebody."""

from dataclasses import dataclass
from enum import StrEnum

from llm_incident_manager.domain.severity import Severity


class NotifyReason(StrEnum):
    """Why somebody is told, or is not."""

    OPENED = "opened"
    SEVERITY_RAISED = "severity_raised"
    RECURRED = "recurred"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    MERGED = "merged"
    UNMERGED = "unmerged"
    SNOOZE_ENDED = "snooze_ended"
    SLA_BREACHED = "sla_breached"
    BELOW_MIN_SEVERITY = "below_min_severity"
    HISTORICAL = "historical"
    NO_CHANNEL = "no_channel"
    SNOOZED = "snoozed"


@dataclass(frozen=True, slots=True)
class Route:
    """A named choice of channels for incidents at least as severe as `min_severity`."""

    name: str
    channels: tuple[str, ...]
    min_severity: Severity


class DeliveryState(StrEnum):
    """How far a notification is."""

    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"

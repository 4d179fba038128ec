"""What becomes of an event, decided once, at its commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.ids import EventId, IncidentId


class Disposition(IntEnum):
    """The one recorded outcome of an event. The numbers are stored; they never change meaning."""

    NEW = 1
    ATTACHED = 2
    DUPLICATE = 3
    SUPPRESSED = 4
    APPLIED = 5
    IGNORED = 6
    REJECTED = 7


class Reason(StrEnum):
    """Why an event has its disposition."""

    FIRST_OF_ITS_KIND = "first_of_its_kind"
    AFTER_RESOLUTION = "after_resolution"
    OPEN_INCIDENT = "open_incident"
    SEVERITY_RAISED = "severity_raised"
    RECURRED = "recurred"
    SAME_IDEMPOTENCY_KEY = "same_idempotency_key"
    RECORD_EXPIRED = "record_expired"
    MUTED = "muted"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    CHANGE_RECORDED = "change_recorded"
    NO_OPEN_INCIDENT = "no_open_incident"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    NOT_COVERED = "not_covered"
    INVALID = "invalid"


REASONS: Mapping[Disposition, frozenset[Reason]] = {
    Disposition.NEW: frozenset({Reason.FIRST_OF_ITS_KIND, Reason.AFTER_RESOLUTION}),
    Disposition.ATTACHED: frozenset({Reason.OPEN_INCIDENT, Reason.SEVERITY_RAISED, Reason.RECURRED}),
    Disposition.DUPLICATE: frozenset({Reason.SAME_IDEMPOTENCY_KEY}),
    Disposition.SUPPRESSED: frozenset({Reason.MUTED}),
    Disposition.APPLIED: frozenset({Reason.ACKNOWLEDGED, Reason.RESOLVED, Reason.CHANGE_RECORDED}),
    Disposition.IGNORED: frozenset({Reason.NO_OPEN_INCIDENT, Reason.ALREADY_ACKNOWLEDGED, Reason.NOT_COVERED}),
}
"""The reasons that an accepted event may have on record for its disposition. RECORD_EXPIRED and INVALID are
answers only: nothing is stored for them. NOT_COVERED is also that of an event REJECTED for its own service or team; on
record it is for one whose fingerprint an incident holds that its sender may not change."""

WITHOUT_INCIDENT = frozenset({Reason.MUTED, Reason.CHANGE_RECORDED, Reason.NO_OPEN_INCIDENT, Reason.NOT_COVERED})
"""Reasons of events that touch no incident; all others but that of a DUPLICATE name one."""

COUNTED = frozenset({Disposition.NEW, Disposition.ATTACHED, Disposition.APPLIED})
"""Dispositions of events that their incident counts, where they name one."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule of one field: its path, a sentence with value and remedy, and the rule's id."""

    field: str
    message: str
    rule: str


class EventResult(NamedTuple):
    """What a producer is told about one event. `event_id` of a DUPLICATE is that of the event accepted first."""

    event_id: EventId | None
    disposition: Disposition
    reason: Reason
    incident_id: IncidentId | None = None
    violations: tuple[Violation, ...] = ()
    warnings: tuple[str, ...] = ()

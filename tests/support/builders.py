"""Values for tests: complete, valid, and different from each other unless told otherwise. Each call gives new ids."""

from itertools import count
from typing import Any

from llm_incident_manager.domain.analysis import Analysis, AnalysisState, Question
from llm_incident_manager.domain.disposition import Disposition, Reason
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.fingerprint import CURRENT, Component, Fingerprint
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import AuditRecord, ChangeKind, TimelineEntry, TimelineKind
from llm_incident_manager.ports.changes import (
    NOTIFY,
    ROUTED,
    BodyRow,
    ChangeRow,
    Changes,
    DeliveryRow,
    EventRow,
    FingerprintKey,
    KeyRow,
    OutboxRow,
)

TENANT = TenantId("default")
NOW = Instant(1_795_293_600_000_000)
"""2026-11-21T20:40:00Z."""

_numbers = count(1)


def make_id(number: int | None = None) -> str:
    """A UUIDv7; larger than all made before, unless it is given its number."""
    digits = f"{NOW // 1000:012x}7000a{next(_numbers) if number is None else number:015x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def make_event(**fields: object) -> Event:
    """What a producer reports."""
    given: dict[str, Any] = {
        "source": "shield",
        "title": "Prompt injection in request",
        "event_time": NOW,
        "kind": "prompt_injection",
    }
    return Event(**{**given, **fields})


def make_incident(**fields: object) -> Incident:
    """A new incident with an id, a number and a fingerprint of its own."""
    id_ = make_id()
    number = int(id_[-12:], 16)
    parts = (Component("source", "shield"), Component("title", f"number {number}"))
    given: dict[str, Any] = {
        "id": id_,
        "tenant": TENANT,
        "number": f"INC-20261121-{number:05d}",
        "state": State.NEW,
        "severity": Severity.P2,
        "incident_type": IncidentType.SECURITY,
        "kind": "prompt_injection",
        "source": "shield",
        "title": "Prompt injection in request",
        "description": "A document tells the model to ignore its instructions.",
        "fingerprint": Fingerprint(CURRENT, f"{number:032x}", parts),
        "created_at": NOW,
        "updated_at": NOW,
        "first_seen": NOW,
        "last_seen": NOW,
        "event_count": 1,
    }
    return Incident(**{**given, **fields})


def key_of(incident: Incident) -> FingerprintKey:
    """The fingerprint an incident holds."""
    return FingerprintKey(incident.tenant, incident.fingerprint.version, incident.fingerprint.value)


def make_event_row(incident: Incident | None = None, **fields: object) -> EventRow:
    """The ledger row of an event that was attached to the incident."""
    given: dict[str, Any] = {
        "id": EventId(make_id()),
        "tenant": TENANT if incident is None else incident.tenant,
        "incident_id": None if incident is None else incident.id,
        "disposition": Disposition.ATTACHED,
        "reason": Reason.OPEN_INCIDENT,
        "event_time": NOW,
        "received_at": NOW,
        "duplicate_of": None,
    }
    return EventRow(**{**given, **fields})


def make_work(incident: Incident, **fields: object) -> OutboxRow:
    """Work that is due, in the incident's lane."""
    given: dict[str, Any] = {
        "id": make_id(),
        "tenant": incident.tenant,
        "topic": NOTIFY,
        "lane": incident.id,
        "incident_id": incident.id,
        "payload": "{}",
        "traceparent": "",
        "created_at": NOW,
        "due_at": NOW,
    }
    return OutboxRow(**{**given, **fields})


def make_delivery(incident: Incident, **fields: object) -> DeliveryRow:
    """A notification that waits to be sent."""
    id_ = make_id()
    given: dict[str, Any] = {
        "id": id_,
        "tenant": incident.tenant,
        "incident_id": incident.id,
        "channel": "webhook",
        "route": "default",
        "reason": "opened",
        "dedup_key": f"opened:{id_}",
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "error": "",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return DeliveryRow(**{**given, **fields})


def make_analysis(incident: Incident, **fields: object) -> Analysis:
    """A question that nobody has answered yet."""
    given: dict[str, Any] = {
        "id": make_id(),
        "tenant": incident.tenant,
        "incident_id": incident.id,
        "question": Question.THREAT,
        "state": AnalysisState.PENDING,
        "requested_by": "ann",
        "requested_at": NOW,
        "updated_at": NOW,
    }
    return Analysis(**{**given, **fields})


def make_entry(incident: Incident, **fields: object) -> TimelineEntry:
    """A timeline entry that says the incident was opened."""
    given: dict[str, Any] = {
        "id": make_id(),
        "tenant": incident.tenant,
        "incident_id": incident.id,
        "at": NOW,
        "kind": TimelineKind.OPENED,
        "actor": "system",
        "text": "Opened.",
        "details": {"severity": "P2"},
    }
    return TimelineEntry(**{**given, **fields})


def make_audit(incident: Incident, **fields: object) -> AuditRecord:
    """A record that says the incident was opened."""
    given: dict[str, Any] = {
        "tenant": incident.tenant,
        "at": NOW,
        "actor": "system",
        "action": "incident.opened",
        "resource": f"incidents/{incident.id}",
        "details": {"number": incident.number},
    }
    return AuditRecord(**{**given, **fields})


def make_opening(*incidents: Incident) -> Changes:
    """All rows that opening these incidents writes: with event, body, key, timeline, audit, change and work each."""
    changes = Changes(opened=list(incidents))
    for incident in incidents:
        event = make_event_row(incident, disposition=Disposition.NEW, reason=Reason.FIRST_OF_ITS_KIND)
        changes.events.append(event)
        changes.bodies.append(BodyRow(event.id, event.tenant, b"\x0a\x06shield", '{"severity": "floor of the kind"}'))
        changes.keys_taken.append(KeyRow(key_of(incident), IncidentId(incident.id)))
        changes.timeline.append(make_entry(incident))
        changes.audit.append(make_audit(incident))
        changes.feed.append(ChangeRow(incident.tenant, incident.id, ChangeKind.OPENED, NOW))
        changes.outbox.append(make_work(incident, topic=ROUTED))
    return changes

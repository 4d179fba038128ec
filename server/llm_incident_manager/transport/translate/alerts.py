"""Alerts to domain events, and results to what a monitoring system is told: one model inside, two vocabularies."""

import hashlib
from collections.abc import Mapping

from incidentmanager.v1 import alert_pb2

from llm_incident_manager.domain.alert import Alert, AlertAck
from llm_incident_manager.domain.disposition import Disposition, EventResult
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import EventId, IncidentId
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.transport.translate import events, times

ANNOTATION = "annotation_"
_TYPES: Mapping[str, IncidentType] = {kind.value: kind for kind in IncidentType}

_SENTENCES: Mapping[Disposition, str] = {
    Disposition.NEW: "a new incident was opened",
    Disposition.ATTACHED: "the alert was added to the open incident with its fingerprint",
    Disposition.DUPLICATE: "this very alert was accepted before",
    Disposition.SUPPRESSED: "an ingest mute rule held the alert back",
}


def event(message: alert_pb2.Alert, now: Instant) -> Event:
    """The event that a valid alert is; its time is clamped to `now`, and is `now` when not given."""
    kind = _TYPES.get(message.alert_type.strip().upper().removeprefix("INCIDENT_TYPE_"))
    return Event(
        source=message.source,
        title=message.title,
        event_time=min(times.instant(message.timestamp), now) if message.HasField("timestamp") else now,
        description=message.description,
        severity=message.severity,
        kind="" if kind else message.alert_type,
        incident_type=kind,
        idempotency_key=_name(message.source, message.external_id) if message.external_id else "",
        labels=_labels(message),
        affected_services=tuple(message.affected_services),
        external_id=message.external_id,
        runbook_url=message.runbook_url,
    )


def response(given: EventResult) -> alert_pb2.SubmitAlertResponse:
    """The reply to one alert. What is noteworthy about it follows the sentence."""
    sentence = "; ".join((_SENTENCES[given.disposition], *given.warnings))
    return alert_pb2.SubmitAlertResponse(
        alert_id=given.event_id or "",
        incident_id=given.incident_id or "",
        status=events.STATUS.get(given.disposition, "accepted"),
        message=sentence[0].upper() + sentence[1:] + ".",
    )


def message(alert: Alert) -> alert_pb2.Alert:
    """The contract's alert."""
    severity = alert.severity
    return alert_pb2.Alert(
        external_id=alert.external_id,
        source=alert.source,
        severity=severity.name if isinstance(severity, Severity) else severity,
        alert_type=alert.alert_type,
        title=alert.title,
        description=alert.description,
        labels=alert.labels,
        affected_services=alert.affected_services,
        runbook_url=alert.runbook_url,
        annotations=alert.annotations,
    )


def ack(reply: alert_pb2.SubmitAlertResponse) -> AlertAck:
    """What the sender is told, as a value."""
    incident = IncidentId(reply.incident_id) if reply.incident_id else None
    return AlertAck(EventId(reply.alert_id), incident, reply.status, reply.message)


def _labels(message: alert_pb2.Alert) -> dict[str, str]:
    return {**message.labels, **{ANNOTATION + key: text for key, text in message.annotations.items()}}


def _name(source: str, external_id: str) -> str:
    """One idempotency key for one alert of one source: of bounded length, and never another pair's."""
    return "alert:" + hashlib.sha256(f"{len(source)}:{source}{external_id}".encode()).hexdigest()

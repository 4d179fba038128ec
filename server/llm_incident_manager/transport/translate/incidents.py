"""Incidents, changes and timelines to protobuf, and editable fields back."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from incidentmanager.v1 import event_pb2, incident_pb2, incident_service_pb2

from llm_incident_manager.domain import sla
from llm_incident_manager.domain.fingerprint import Fingerprint
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.sla import Targets
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import ChangeKind, TimelineEntry
from llm_incident_manager.transport.translate import enums, times
from llm_incident_manager.usecases.draft import Report

LARGEST = 2**31 - 1

_PLAIN = [
    "number",
    "kind",
    "source",
    "title",
    "description",
    "service",
    "environment",
    "application",
    "provider",
    "model",
    "deployment",
    "runbook_url",
    "route",
    "cost_usd",
    "recurred",
    "etag",
]


class AsOf(NamedTuple):
    """The moment of an answer, and what is promised for each severity."""

    now: Instant
    targets: Targets


def incident(given: Incident, as_of: AsOf) -> incident_pb2.Incident:
    """The contract's incident as it stands at a moment, which decides whether deadlines are missed."""
    built = incident_pb2.Incident(
        id=given.id,
        state=enums.STATE_OUT[given.state],  # type: ignore[arg-type]  # an int of that enum
        severity=enums.SEVERITY_OUT[given.severity],  # type: ignore[arg-type]  # as above
        incident_type=enums.TYPE_OUT[given.incident_type],  # type: ignore[arg-type]  # as above
        labels=given.labels,
        affected_services=given.affected_services,
        assignees=given.assignees,
        fingerprint=fingerprint(given.fingerprint),
        event_count=min(given.event_count, LARGEST),
        tokens=min(given.tokens, LARGEST),
        users_affected=min(given.users_affected, LARGEST),
        previous_incident_id=given.previous_id or "",
        merged_into=given.merged_into or "",
        sla=_sla(given, as_of),
        **{name: getattr(given, name) for name in _PLAIN},
        **_times(given),
    )
    if given.resolution is not None:
        built.resolution.CopyFrom(_resolution(given))
    return built


@lru_cache(maxsize=4_096)
def fingerprint(given: Fingerprint) -> event_pb2.Fingerprint:
    """The contract's fingerprint with its components. Shared: copy it, never change it."""
    components = [event_pb2.FingerprintComponent(name=name, value=value) for name, value in given.components]
    return event_pb2.Fingerprint(version=given.version, value=given.value, components=components)


def change(given: Incident, kind: ChangeKind, token: str, as_of: AsOf) -> incident_pb2.IncidentChange:
    """One message of a watch."""
    number: Any = enums.CHANGE_OUT[kind]
    return incident_pb2.IncidentChange(incident=incident(given, as_of), kind=number, resume_token=token)


def entry(given: TimelineEntry) -> incident_pb2.TimelineEntry:
    """One entry of a timeline."""
    number: Any = enums.TIMELINE_OUT[given.kind]
    return incident_pb2.TimelineEntry(
        id=given.id,
        time=times.timestamp(given.at),
        kind=number,
        actor=given.actor,
        text=given.text,
        details=dict(given.details),
    )


def report(request: incident_service_pb2.CreateIncidentRequest) -> Report:
    """What a caller says of an incident opened by hand."""
    return Report(
        source=request.source,
        title=request.title,
        description=request.description,
        severity=enums.SEVERITY_IN.get(request.severity),
        incident_type=enums.TYPE_IN.get(request.incident_type),
        kind=request.kind,
        labels=dict(request.labels),
        service=request.service,
        provider=request.provider,
        dedup_key=request.dedup_key,
        assignees=tuple(request.assignees),
    )


EDITABLE: Mapping[str, Callable[[incident_pb2.Incident], object]] = {
    "title": lambda m: m.title,
    "description": lambda m: m.description,
    "severity": lambda m: enums.SEVERITY_IN.get(m.severity),
    "incident_type": lambda m: enums.TYPE_IN.get(m.incident_type),
    "kind": lambda m: m.kind,
    "labels": lambda m: dict(m.labels),
    "service": lambda m: m.service,
    "affected_services": lambda m: tuple(m.affected_services),
    "environment": lambda m: m.environment,
    "application": lambda m: m.application,
    "provider": lambda m: m.provider,
    "model": lambda m: m.model,
    "deployment": lambda m: m.deployment,
    "runbook_url": lambda m: m.runbook_url,
    "assignees": lambda m: tuple(m.assignees),
}
"""The fields UpdateIncident takes, by their name in contract and domain alike."""


def _times(given: Incident) -> dict[str, Any]:
    opened = given.created_at
    found: dict[str, Any] = {
        "create_time": times.timestamp(opened),
        "update_time": times.timestamp(given.updated_at),
        "first_seen_time": times.timestamp(given.first_seen),
        "last_seen_time": times.timestamp(given.last_seen),
        "close_time": times.maybe_timestamp(given.closed_at),
        "snoozed_until": times.maybe_timestamp(given.snoozed_until),
        "acknowledge_breach_time": times.maybe_timestamp(given.acknowledge_breached_at),
        "resolve_breach_time": times.maybe_timestamp(given.resolve_breached_at),
    }
    if given.event_count:
        found["time_to_detect"] = times.duration(opened - given.first_seen)
        found["time_to_detect_received"] = times.duration(opened - given.first_received)
    if given.acknowledged_at is not None:
        found["acknowledge_time"] = times.timestamp(given.acknowledged_at)
        found["time_to_acknowledge"] = times.duration(given.acknowledged_at - opened)
    if given.resolved_at is not None:
        found["resolve_time"] = times.timestamp(given.resolved_at)
        found["time_to_resolve"] = times.duration(given.resolved_at - opened)
    return found


def _sla(given: Incident, as_of: AsOf) -> incident_pb2.Sla:
    judged = sla.judge(given, as_of.now, as_of.targets)
    return incident_pb2.Sla(
        acknowledge_deadline=times.maybe_timestamp(judged.acknowledge_by),
        resolve_deadline=times.timestamp(judged.resolve_by),
        acknowledge_breached=judged.acknowledge_breached,
        resolve_breached=judged.resolve_breached,
    )


def _resolution(given: Incident) -> incident_pb2.Resolution:
    ended: Any = given.resolution
    return incident_pb2.Resolution(
        resolved_by=ended.resolved_by,
        method=enums.METHOD_OUT[ended.method],  # type: ignore[arg-type]  # an int of that enum
        notes=ended.notes,
        root_cause=ended.root_cause,
        resolve_time=times.timestamp(ended.at),
    )

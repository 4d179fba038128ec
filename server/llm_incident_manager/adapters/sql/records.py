"""How domain values lie in columns, in one place for both back ends. Pure; knows no driver and no dialect.

An id is text in the domain and something else in a column: `pack` turns text into the column's value, `unpack` turns
the column's value into text. Neither is called for a missing id.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any

import orjson

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.fingerprint import Component, Fingerprint
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.domain.incident import (
    Extremes,
    FingerprintName,
    Holder,
    Incident,
    Resolution,
    ResolutionMethod,
    Unmerge,
)
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.domain.severity import IncidentType, Severity
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineEntry, TimelineKind
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.ports.changes import DeliveryRow, EventRow, OutboxRow
from llm_incident_manager.ports.timers import TimerRow

Pack = Callable[[str], Any]
Unpack = Callable[[Any], str]
Row = Iterable[Any]

_SHAPED = (
    "id",
    "previous_id",
    "merged_into",
    "fp_version",
    "fingerprint",
    "fp_components",
    "labels",
    "affected_services",
    "assignees",
    "resolution",
    "state",
    "severity",
    "incident_type",
    "historical",
    "recurred",
    "keys",
    "unmerge",
)
_PLAIN = (
    "tenant",
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
    "event_count",
    "tokens",
    "cost_usd",
    "users_affected",
    "first_seen",
    "last_seen",
    "created_at",
    "updated_at",
    "acknowledged_at",
    "resolved_at",
    "closed_at",
    "first_received_at",
    "snoozed_until",
    "acknowledge_breached_at",
    "resolve_breached_at",
    "revision",
    "traceparent",
)
_RENAMED = {"first_seen": "first_seen_at", "last_seen": "last_seen_at"}

INCIDENT_COLUMNS: tuple[str, ...] = (*_SHAPED, *(_RENAMED.get(name, name) for name in _PLAIN))
"""The columns of `incident` in the order of `incident_row` and `incident_of`."""

IMMUTABLE_COLUMNS = frozenset({"id", "tenant", "number", "fp_version", "fingerprint", "fp_components", "created_at"})
"""Columns of `incident` that no update touches."""

TIMELINE_COLUMNS = ("id", "tenant", "incident_id", "at", "kind", "actor", "text", "details")
EVENT_COLUMNS = EventRow._fields
OUTBOX_COLUMNS = OutboxRow._fields
DELIVERY_COLUMNS = DeliveryRow._fields
TIMER_COLUMNS = TimerRow._fields

_plain = attrgetter(*_PLAIN)
_STATES = {str(state): state for state in State}
_SEVERITIES = {int(severity): severity for severity in Severity}
_TYPES = {str(kind): kind for kind in IncidentType}
_DISPOSITIONS = {int(disposition): disposition for disposition in Disposition}


def text_map(values: Mapping[str, Any]) -> str:
    """JSON text of a mapping; also of the read-only ones."""
    return orjson.dumps(dict(values)).decode() if values else "{}"


def text_list(values: Iterable[str]) -> str:
    """JSON text of a list of strings."""
    return orjson.dumps(list(values)).decode() if values else "[]"


def incident_row(incident: Incident, pack: Pack) -> tuple[Any, ...]:
    """The incident's column values, in the order of INCIDENT_COLUMNS."""
    version, value, components = incident.fingerprint
    previous, merged, resolution = incident.previous_id, incident.merged_into, incident.resolution
    return (
        pack(incident.id),
        None if previous is None else pack(previous),
        None if merged is None else pack(merged),
        version,
        value,
        orjson.dumps(list(map(list, components))).decode(),
        text_map(incident.labels),
        text_list(incident.affected_services),
        text_list(incident.assignees),
        None if resolution is None else _resolution_text(resolution),
        incident.state,
        incident.severity,
        incident.incident_type,
        incident.historical,
        incident.recurred,
        orjson.dumps(list(map(list, incident.keys))).decode() if incident.keys else None,
        None if incident.unmerge is None else orjson.dumps(_plain_unmerge(incident.unmerge)).decode(),
        *_plain(incident),
    )


def holder_of(id_: str, tenant: str, *facts: Any) -> Holder:  # noqa: ANN401  # a row's columns, as every driver gives them
    """An incident in short; `facts` are its state, severity, event_count, first_seen_at and last_seen_at."""
    state, severity, *rest = facts
    return Holder(IncidentId(id_), TenantId(tenant), _STATES[state], _SEVERITIES[severity], *rest)


def incident_of(row: Row, unpack: Unpack) -> Incident:
    """The incident of a row whose columns are INCIDENT_COLUMNS; a longer row is cut off behind them."""
    fields = tuple(row)
    id_, previous, merged, version, value, parts, labels, affected, assignees, resolution = fields[:10]
    state, severity, kind, historical, recurred, keys, unmerge = fields[10:17]
    return Incident(
        id=IncidentId(unpack(id_)),
        previous_id=None if previous is None else IncidentId(unpack(previous)),
        merged_into=None if merged is None else IncidentId(unpack(merged)),
        fingerprint=Fingerprint(version, value, tuple(map(Component._make, orjson.loads(parts)))),
        labels=orjson.loads(labels),
        affected_services=_texts(affected),
        assignees=_texts(assignees),
        resolution=None if resolution is None else _resolution_of(resolution),
        state=_STATES[state],
        severity=_SEVERITIES[severity],
        incident_type=_TYPES[kind],
        historical=bool(historical),
        recurred=bool(recurred),
        keys=_names(keys),
        unmerge=None if unmerge is None else _unmerge_of(*orjson.loads(unmerge)),
        **dict(zip(_PLAIN, fields[17:], strict=False)),
    )


def names_of(version: int, value: str, keys: str | None) -> tuple[FingerprintName, ...]:
    """The fingerprints an incident holds while it is open; the arguments are its columns fp_version to keys."""
    return _names(keys) or (FingerprintName(version, value),)


def _names(keys: str | None) -> tuple[FingerprintName, ...]:
    return () if keys is None else tuple(map(FingerprintName._make, orjson.loads(keys)))


def timeline_row(entry: TimelineEntry, pack: Pack) -> tuple[Any, ...]:
    """The entry's column values, in the order of TIMELINE_COLUMNS."""
    return (
        pack(entry.id),
        entry.tenant,
        pack(entry.incident_id),
        entry.at,
        entry.kind,
        entry.actor,
        entry.text,
        text_map(entry.details),
    )


def timeline_of(row: Row, unpack: Unpack) -> TimelineEntry:
    """The entry of a row whose columns are TIMELINE_COLUMNS."""
    id_, tenant, incident, at, kind, actor, text, details = row
    entry = TimelineKind(kind)
    return TimelineEntry(
        unpack(id_), tenant, IncidentId(unpack(incident)), Instant(at), entry, actor, text, orjson.loads(details)
    )


def event_of(row: Row, unpack: Unpack) -> EventRow:
    """The event of a row whose columns are EVENT_COLUMNS."""
    id_, tenant, incident, disposition, reason, event_time, received_at, original = row
    return EventRow(
        EventId(unpack(id_)),
        tenant,
        None if incident is None else IncidentId(unpack(incident)),
        _DISPOSITIONS[disposition],
        reason,
        event_time,
        received_at,
        None if original is None else EventId(unpack(original)),
    )


def outbox_of(row: Row, unpack: Unpack) -> OutboxRow:
    """The work of a row whose columns are OUTBOX_COLUMNS."""
    id_, tenant, topic, lane, incident, *rest = row
    return OutboxRow(unpack(id_), tenant, topic, lane, IncidentId(unpack(incident)), *rest)


def delivery_of(row: Row, unpack: Unpack) -> DeliveryRow:
    """The delivery of a row whose columns are DELIVERY_COLUMNS."""
    id_, tenant, incident, channel, route, reason, key, state, *rest = row
    return DeliveryRow(
        unpack(id_), tenant, IncidentId(unpack(incident)), channel, route, reason, key, DeliveryState(state), *rest
    )


def timer_of(row: Row, unpack: Unpack) -> TimerRow:
    """The timer of a row whose columns are TIMER_COLUMNS."""
    incident, key, tenant, kind, *rest = row
    return TimerRow(IncidentId(unpack(incident)), key, tenant, TimerKind(kind), *rest)


def _plain_unmerge(given: Unmerge) -> list[Any]:
    return [given.state, list(given.counts), given.extremes and list(given.extremes)]


def _unmerge_of(state: str | None, counts: list[int | None], extremes: list[int] | None) -> Unmerge:
    return Unmerge(
        None if state is None else _STATES[state],
        tuple(counts),
        None if extremes is None else Extremes(extremes[0], *map(Instant, extremes[1:])),
    )


def _texts(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(orjson.loads(text))


def _resolution_text(resolution: Resolution) -> str:
    return text_map(
        {
            "resolved_by": resolution.resolved_by,
            "method": str(resolution.method),
            "notes": resolution.notes,
            "root_cause": resolution.root_cause,
            "at": resolution.at,
        }
    )


def _resolution_of(text: str) -> Resolution:
    fields = orjson.loads(text)
    return Resolution(
        fields["resolved_by"],
        ResolutionMethod(fields["method"]),
        fields["notes"],
        fields["root_cause"],
        Instant(fields["at"]),
    )

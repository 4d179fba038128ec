"""The rows that tell about a change of an incident: timeline, audit, feed, outbox. Written with the change itself."""

from collections.abc import Mapping
from typing import NamedTuple

from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import AuditRecord, ChangeKind, TimelineEntry, TimelineKind
from llm_incident_manager.ports.changes import ROUTED, ChangeRow, Changes, OutboxRow
from llm_incident_manager.ports.ids import Ids

FEED_KINDS: Mapping[TimelineKind, ChangeKind] = {
    TimelineKind.OPENED: ChangeKind.OPENED,
    TimelineKind.STATE: ChangeKind.STATE,
    TimelineKind.SEVERITY: ChangeKind.SEVERITY,
    TimelineKind.RECURRED: ChangeKind.RECURRED,
    TimelineKind.ASSIGNED: ChangeKind.UPDATED,
    TimelineKind.UPDATED: ChangeKind.UPDATED,
    TimelineKind.NOTE: ChangeKind.NOTE,
    TimelineKind.MERGED: ChangeKind.UPDATED,
    TimelineKind.UNMERGED: ChangeKind.UPDATED,
    TimelineKind.SPLIT: ChangeKind.UPDATED,
    TimelineKind.LINKED: ChangeKind.UPDATED,
    TimelineKind.ATTACHMENT: ChangeKind.UPDATED,
}


class Happening(NamedTuple):
    """One thing that happened: its kind, who did it, the sentence for people, and details by name."""

    kind: TimelineKind
    actor: str
    text: str
    details: Mapping[str, str]


def tell(changes: Changes, ids: Ids, incident: Incident, happening: Happening, now: Instant) -> TimelineEntry:
    """Adds the timeline entry of a happening and, when it changed the incident, its audit record and feed row."""
    kind = happening.kind
    entry = TimelineEntry(
        ids.new(now), incident.tenant, incident.id, now, kind, happening.actor, happening.text, happening.details
    )
    changes.timeline.append(entry)
    if kind in FEED_KINDS:
        changes.feed.append(ChangeRow(incident.tenant, incident.id, FEED_KINDS[kind], now))
        changes.audit.append(_audit(entry))
    return entry


def _audit(entry: TimelineEntry) -> AuditRecord:
    action = f"incident.{entry.details.get('verb') or entry.kind.lower()}"
    details = {**entry.details, "entry": entry.id}
    return AuditRecord(entry.tenant, entry.at, entry.actor, action, f"incident/{entry.incident_id}", details)


def ask_route(changes: Changes, ids: Ids, incident: Incident, reason: NotifyReason, now: Instant) -> None:
    """Adds the work item that routes the incident after the commit."""
    payload = f'{{"reason":"{reason.value}","revision":{incident.revision}}}'
    trace = incident.traceparent
    changes.outbox.append(
        OutboxRow(ids.new(now), incident.tenant, ROUTED, incident.id, incident.id, payload, trace, now, due_at=now)
    )

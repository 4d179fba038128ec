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
    TimelineKind.DEAD_LETTER: ChangeKind.UPDATED,
    TimelineKind.SNOOZED: ChangeKind.UPDATED,
    TimelineKind.SLA_BREACHED: ChangeKind.UPDATED,
}


class Happening(NamedTuple):
    """One thing that happened: its kind, who did it, the sentence for people, and details by name."""

    kind: TimelineKind
    actor: str
    text: str
    details: Mapping[str, str]


def tell(changes: Changes, ids: Ids, incident: Incident, happening: Happening, now: Instant) -> TimelineEntry:
    """Adds the timeline entry of a happening and, when it changed the incident, its audit record and feed row."""
    kind, actor, text, details = happening
    tenant, incident_id, name = incident.tenant, incident.id, ids.new(now)
    entry = TimelineEntry(name, tenant, incident_id, now, kind, actor, text, details)
    changes.timeline.append(entry)
    change = FEED_KINDS.get(kind)
    if change is not None:
        changes.feed.append(ChangeRow(tenant, incident_id, change, now))
        action = f"incident.{details.get('verb') or kind.lower()}"
        resource = f"incident/{incident_id}"
        changes.audit.append(AuditRecord(tenant, now, actor, action, resource, {**details, "entry": name}))
    return entry


def ask_route(changes: Changes, ids: Ids, incident: Incident, reason: NotifyReason, now: Instant) -> None:
    """Adds the work item that routes the incident after the commit."""
    payload = f'{{"reason":"{reason}","revision":{incident.revision}}}'
    trace = incident.traceparent
    changes.outbox.append(
        OutboxRow(ids.new(now), incident.tenant, ROUTED, incident.id, incident.id, payload, trace, now, due_at=now)
    )

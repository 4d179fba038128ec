"""The rows that tell about a change of an incident: timeline, audit, feed, outbox. Written with the change itself."""

from collections.abc import Mapping
from typing import NamedTuple

from llm_incident_manager.domain.event import NOTHING
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import BY_SYSTEM, AuditRecord, ChangeKind, Proof, TimelineEntry, TimelineKind
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
    TimelineKind.ANALYSIS: ChangeKind.UPDATED,
}


class Happening(NamedTuple):
    """One thing that happened: its kind, who did it, the sentence for people, details by name, and for the audit the
    fields that changed and, if that is known already, who it was in truth."""

    kind: TimelineKind
    actor: str
    text: str
    details: Mapping[str, str]
    before: Mapping[str, str] = NOTHING
    after: Mapping[str, str] = NOTHING
    subject: str = ""
    proof: Proof = BY_SYSTEM


def tell(
    changes: Changes, ids: Ids, incident: Incident, happening: Happening, now: Instant, *, audited: bool = True
) -> TimelineEntry:
    """Adds the timeline entry of a happening and, when it changed the incident, its feed row and its audit record;
    without the record where that of another happening tells the whole change."""
    kind, actor, text, details, before, after, subject, proof = happening
    tenant, incident_id, name = incident.tenant, incident.id, ids.new(now)
    entry = TimelineEntry(name, tenant, incident_id, now, kind, actor, text, details)
    changes.timeline.append(entry)
    change = FEED_KINDS.get(kind)
    if change is not None:
        changes.feed.append(ChangeRow(tenant, incident_id, change, now))
        if audited:
            action = f"incident.{details.get('verb') or kind.lower()}"
            said = {**details, "entry": name}
            if subject and subject != actor:
                said["as"] = actor
            who, resource = subject or actor, f"incident/{incident_id}"
            changes.audit.append(AuditRecord(tenant, now, who, action, resource, said, before, after, proof))
    return entry


def attribute(changes: Changes, subject: str, proof: Proof, since: int = 0) -> None:
    """Says of the audit records from that place on, of which it was not known yet, who caused them."""
    for at in range(since, len(changes.audit)):
        record = changes.audit[at]
        if record.proof is BY_SYSTEM:
            changes.audit[at] = record.by(subject, proof)


def tell_cause(changes: Changes, subject: str) -> None:
    """Adds to the timeline who it was in truth, where somebody else was named: `by`, beside the actor."""
    for at, entry in enumerate(changes.timeline):
        if entry.actor != subject:
            changes.timeline[at] = entry._replace(details={**entry.details, "by": subject})


def ask_route(changes: Changes, ids: Ids, incident: Incident, reason: NotifyReason, now: Instant) -> None:
    """Adds the work item that routes the incident after the commit."""
    payload = f'{{"reason":"{reason}","revision":{incident.revision}}}'
    trace = incident.traceparent
    changes.outbox.append(
        OutboxRow(ids.new(now), incident.tenant, ROUTED, incident.id, incident.id, payload, trace, now, due_at=now)
    )

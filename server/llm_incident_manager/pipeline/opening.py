"""The incident that an event opens, and what its timeline says of that."""

from collections.abc import Mapping

from llm_incident_manager.domain import changed_fields
from llm_incident_manager.domain.event import NOTHING, Event
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.engines.triage import UNKNOWN_SEVERITY
from llm_incident_manager.pipeline.batch import Item
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.told import Happening


def incident(item: Item, previous: IncidentId | None, now: Instant, tools: Tools) -> Incident:
    """The new incident: everything the event tells, the judgement of triage, and the event counted in."""
    event, judged, tenant = item.event, item.judged, item.submission.tenant
    return Incident(
        id=IncidentId(tools.ids.new(now)),
        tenant=tenant,
        number=tools.numbers.take(tenant, now),
        state=State.NEW,
        severity=judged.severity,
        incident_type=judged.incident_type,
        kind=judged.kind,
        source=event.source,
        title=event.title,
        description=event.description,
        fingerprint=item.fingerprint,
        created_at=now,
        updated_at=now,
        first_seen=event.event_time,
        last_seen=event.event_time,
        labels=_labels(event, judged.warnings),
        service=event.service,
        affected_services=event.affected_services,
        environment=event.environment,
        application=event.application,
        provider=event.provider,
        model=event.model,
        deployment=event.deployment,
        runbook_url=event.runbook_url,
        event_count=1,
        tokens=event.tokens,
        cost_usd=event.cost_usd,
        users_affected=event.users_affected,
        historical=now - event.event_time > tools.historical_after,
        previous_id=previous,
        traceparent=event.traceparent or item.submission.traceparent,
    )


def happening(item: Item, incident: Incident) -> Happening:
    """What the timeline says of the opening, with the reason for the severity."""
    judged = item.judged
    details = {"event": item.event_id, "severity": judged.severity.name, "decided_by": judged.decided_by}
    if incident.previous_id:
        details["previous"] = incident.previous_id
    text = f"Opened by {item.event.source}: {judged.explanation}"
    after, sent = changed_fields.opened(incident), item.submission
    kind, source = TimelineKind.OPENED, item.event.source
    return Happening(kind, source, text, details, NOTHING, after, sent.actor, sent.proof)


def _labels(event: Event, warnings: tuple[str, ...]) -> Mapping[str, str]:
    """Triage warns of severity words nobody knows: the word stays visible on the incident."""
    return {**event.labels, UNKNOWN_SEVERITY: event.severity} if warnings else event.labels

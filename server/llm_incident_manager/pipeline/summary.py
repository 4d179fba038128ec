"""An incident as people outside are told of it."""

from collections.abc import Mapping

from llm_incident_manager.domain import time
from llm_incident_manager.domain.incident import Incident


def of(incident: Incident) -> Mapping[str, object]:
    """The facts a receiver needs, as JSON values, spelled like the REST interface spells them."""
    return {
        "id": incident.id,
        "number": incident.number,
        "state": incident.state.value,
        "severity": incident.severity.name,
        "incident_type": incident.incident_type.value,
        "kind": incident.kind,
        "source": incident.source,
        "title": incident.title,
        "description": incident.description,
        "service": incident.service,
        "affected_services": list(incident.affected_services),
        "environment": incident.environment,
        "application": incident.application,
        "provider": incident.provider,
        "model": incident.model,
        "labels": dict(incident.labels),
        "assignees": list(incident.assignees),
        "event_count": incident.event_count,
        "users_affected": incident.users_affected,
        "runbook_url": incident.runbook_url,
        "create_time": time.rfc3339(incident.created_at),
        "update_time": time.rfc3339(incident.updated_at),
        "first_seen_time": time.rfc3339(incident.first_seen),
        "last_seen_time": time.rfc3339(incident.last_seen),
    }

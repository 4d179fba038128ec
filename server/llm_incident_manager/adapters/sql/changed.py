"""Which columns of a changed incident are written: all, or only those that a broken promise touches. Pure."""

from collections.abc import Iterable
from typing import Any

from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.ports.changes import Changes


def whole(changes: Changes) -> Iterable[Incident]:
    """The incidents of which anything may have changed, as they are at last."""
    latest = {incident.id: incident for incident in changes.changed}
    for incident in changes.breached:
        if incident.id in latest and incident.revision > latest[incident.id].revision:
            latest[incident.id] = incident
    return latest.values()


def breaches(changes: Changes) -> list[tuple[Any, ...]]:
    """Of those of which nothing else has: id, tenant, both moments, time and revision."""
    written = {incident.id for incident in changes.changed}
    latest = {incident.id: incident for incident in changes.breached if incident.id not in written}
    return [
        (i.id, i.tenant, i.acknowledge_breached_at, i.resolve_breached_at, i.updated_at, i.revision)
        for i in latest.values()
    ]

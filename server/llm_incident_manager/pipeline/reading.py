"""Incidents that several tenants' work is about, read and, where asked for, locked in one order for everybody."""

from collections.abc import Awaitable, Callable, Iterable, Sequence

from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident

Read = Callable[[TenantId, Sequence[IncidentId]], Awaitable[Sequence[Incident]]]
"""A unit of work's `incidents`, which locks, or its `peek_each`, which does not."""


async def incidents(read: Read, wanted: Iterable[tuple[TenantId, IncidentId]]) -> dict[IncidentId, Incident]:
    """Those that exist, by id: tenant by tenant, each tenant's in the order of their ids."""
    found: dict[IncidentId, Incident] = {}
    pairs = set(wanted)
    for tenant in sorted({tenant for tenant, _ in pairs}):
        ids = sorted(id_ for owner, id_ in pairs if owner == tenant)
        found.update({incident.id: incident for incident in await read(tenant, ids)})
    return found

"""Incidents that several tenants' work is about, read and locked in one order for everybody."""

from collections.abc import Iterable

from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.ports.stores import Transaction


async def incidents(tx: Transaction, wanted: Iterable[tuple[TenantId, IncidentId]]) -> dict[IncidentId, Incident]:
    """Those that exist, by id: tenant by tenant, each tenant's in the order of their ids."""
    found: dict[IncidentId, Incident] = {}
    pairs = set(wanted)
    for tenant in sorted({tenant for tenant, _ in pairs}):
        ids = sorted(id_ for owner, id_ in pairs if owner == tenant)
        found.update({incident.id: incident for incident in await tx.incidents(tenant, ids)})
    return found

"""A chosen route stands on the incident and changes nothing else of it."""

from dataclasses import replace

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.changes import Changes, RouteRow
from llm_incident_manager.ports.stores import Store
from tests.support.builders import TENANT, make_incident


async def test_a_route_is_set_without_a_new_revision_and_only_in_its_tenant(store: Store) -> None:
    incident, other = make_incident(), make_incident()
    async with store.transaction() as tx:
        await tx.write(Changes(opened=[incident, other]))
    async with store.transaction() as tx:
        foreign = RouteRow(TenantId("else"), other.id, "stolen")
        await tx.write(Changes(routes=[RouteRow(TENANT, incident.id, "default"), foreign]))
    assert await store.incident(TENANT, incident.id) == replace(incident, route="default")
    assert await store.incident(TENANT, other.id) == other

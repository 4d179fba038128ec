"""AdminService: tenants."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from incidentmanager.v1 import tenant_pb2

from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import access_desk
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import access as translate
from llm_incident_manager.usecases import tenant_export
from llm_incident_manager.usecases.tenancy import Change

pb = tenant_pb2


class TenantHandlers:
    """Some methods of AdminService."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "CreateTenant": self.create,
            "GetTenant": self.get,
            "ListTenants": self.list_tenants,
            "UpdateTenant": self.update,
            "ExportTenant": self.export,
            "EraseTenant": self.erase,
        }

    async def create(self, request: pb.CreateTenantRequest, call: Call) -> pb.CreateTenantResponse:
        """Makes a tenant."""

        async def work(tx: Transaction, changes: Changes) -> pb.CreateTenantResponse:
            limits = translate.limits_in(request.limits)
            tenant = await self._on.access.tenancy.create(
                tx, changes, call.caller, request.tenant_id, request.display_name, limits
            )
            return pb.CreateTenantResponse(tenant=translate.tenant(tenant))

        return (await self._on.access.change(self._on.units, call, request, pb.CreateTenantResponse, work)).answer

    async def get(self, request: pb.GetTenantRequest, _: Call) -> pb.GetTenantResponse:
        """One tenant."""
        found = await self._on.store.tenant(request.tenant_id)
        if found is None:
            raise NotFound("tenant", request.tenant_id)
        return pb.GetTenantResponse(tenant=translate.tenant(found))

    async def list_tenants(self, request: pb.ListTenantsRequest, _: Call) -> pb.ListTenantsResponse:
        """A page of tenants."""
        tokens, scope = self._on.pages.tokens, ("tenants",)
        size = paging.size_of(request.page_size, access_desk.DEFAULT, access_desk.MOST)
        after = str(tokens.open(scope, request.page_token)[0]) if request.page_token else ""
        found = await self._on.store.tenants(after, size + 1)
        token = tokens.seal(scope, (found[size - 1].id,)) if len(found) > size else ""
        return pb.ListTenantsResponse(tenants=map(translate.tenant, found[:size]), next_page_token=token)

    async def update(self, request: pb.UpdateTenantRequest, call: Call) -> pb.UpdateTenantResponse:
        """Changes a tenant."""
        limits = translate.limits_in(request.limits) if request.HasField("limits") else None
        change = Change(request.display_name, translate.state_in(request.state), limits, request.etag)

        async def work(tx: Transaction, changes: Changes) -> pb.UpdateTenantResponse:
            tenant = await self._on.access.tenancy.update(tx, changes, call.caller, request.tenant_id, change)
            return pb.UpdateTenantResponse(tenant=translate.tenant(tenant))

        return (await self._on.access.change(self._on.units, call, request, pb.UpdateTenantResponse, work)).answer

    async def export(self, request: pb.ExportTenantRequest, _: Call) -> AsyncIterator[pb.ExportTenantResponse]:
        """Everything a tenant has."""
        async for chunk in tenant_export.chunks(self._on.store, request.tenant_id):
            yield pb.ExportTenantResponse(chunk=chunk)

    async def erase(self, request: pb.EraseTenantRequest, call: Call) -> pb.EraseTenantResponse:
        """Begins to delete everything a tenant has."""

        async def work(tx: Transaction, changes: Changes) -> pb.EraseTenantResponse:
            asked = request.tenant_id, request.confirm, request.reason
            tenant = await self._on.access.tenancy.erase(tx, changes, call.caller, *asked)
            return pb.EraseTenantResponse(tenant=translate.tenant(tenant))

        return (await self._on.access.change(self._on.units, call, request, pb.EraseTenantResponse, work)).answer

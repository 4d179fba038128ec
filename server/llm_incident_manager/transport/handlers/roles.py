"""AdminService: roles, built in and custom."""

from collections.abc import Callable, Mapping
from typing import Any

from incidentmanager.v1 import role_pb2

from llm_incident_manager.domain.access import ROLES
from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import access_desk
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import access as translate
from llm_incident_manager.usecases.custom_roles import Wish

pb = role_pb2

_ABOUT: Mapping[str, str] = {
    "platform_admin": "Runs the whole installation: everything in its own tenant, and the tenants themselves.",
    "admin": "Looks after a tenant: everything in it, its API keys and its roles.",
    "responder": "Handles incidents.",
    "viewer": "Sees events and incidents, and changes nothing.",
    "producer": "Sends events, and sees what became of them.",
    "edge_agent": "Holds the session of an Edge-Agent, and reports events.",
    "auditor": "Reads and proves the audit trail, and sees events and incidents.",
}


class RoleHandlers:
    """Some methods of AdminService."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "ListRoles": self.list_roles,
            "GetRole": self.get,
            "CreateRole": self.create,
            "UpdateRole": self.update,
            "DeleteRole": self.delete,
        }

    async def list_roles(self, _: pb.ListRolesRequest, call: Call) -> pb.ListRolesResponse:
        """All roles."""
        found = await self._on.store.roles(call.caller.tenant)
        shown = [*map(_built_in, ROLES), *map(translate.custom_role, found)]
        return pb.ListRolesResponse(roles=shown)

    async def get(self, request: pb.GetRoleRequest, call: Call) -> pb.GetRoleResponse:
        """One role."""
        if request.name in ROLES:
            return pb.GetRoleResponse(role=_built_in(request.name))
        found = await self._on.store.role(call.caller.tenant, request.name)
        if found is None:
            raise NotFound("role", request.name)
        return pb.GetRoleResponse(role=translate.custom_role(found))

    async def create(self, request: pb.CreateRoleRequest, call: Call) -> pb.CreateRoleResponse:
        """Makes a role."""
        wish = Wish(request.name, request.description, translate.permissions_in(request.permissions))

        async def work(tx: Transaction, changes: Changes) -> pb.CreateRoleResponse:
            role = await self._on.access.roles.create(tx, changes, access_desk.giver(call), wish)
            return pb.CreateRoleResponse(role=translate.custom_role(role))

        return (await self._on.access.change(self._on.units, call, request, pb.CreateRoleResponse, work)).answer

    async def update(self, request: pb.UpdateRoleRequest, call: Call) -> pb.UpdateRoleResponse:
        """Changes a role."""
        wish = Wish(request.name, request.description, translate.permissions_in(request.permissions), request.etag)

        async def work(tx: Transaction, changes: Changes) -> pb.UpdateRoleResponse:
            role = await self._on.access.roles.update(tx, changes, access_desk.giver(call), wish)
            return pb.UpdateRoleResponse(role=translate.custom_role(role))

        return (await self._on.access.change(self._on.units, call, request, pb.UpdateRoleResponse, work)).answer

    async def delete(self, request: pb.DeleteRoleRequest, call: Call) -> pb.DeleteRoleResponse:
        """Deletes a role."""

        async def work(tx: Transaction, changes: Changes) -> pb.DeleteRoleResponse:
            role = await self._on.access.roles.delete(tx, changes, access_desk.giver(call), request.name)
            return pb.DeleteRoleResponse(role=translate.custom_role(role))

        return (await self._on.access.change(self._on.units, call, request, pb.DeleteRoleResponse, work)).answer


def _built_in(name: str) -> pb.Role:
    return translate.built_in_role(name, _ABOUT[name], ROLES[name])

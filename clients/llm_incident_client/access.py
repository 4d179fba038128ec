"""The methods of AdminService that are about who is let in: API keys, roles, tenants, refused certificates."""

from collections.abc import AsyncGenerator, Iterable
from datetime import datetime, timedelta

from llm_incident_client import pb
from llm_incident_client.core import calls, times


class AccessCalls(calls.MethodGroup):
    """Who is let in, and to what. All methods raise IncidentManagerError."""

    async def who_am_i(self) -> pb.Principal:
        """The caller as the server sees it."""
        return (await self._caller.unary(self._admin.WhoAmI, pb.WhoAmIRequest())).principal

    async def create_api_key(  # noqa: PLR0913  # one argument a field
        self,
        display_name: str,
        roles: Iterable[str],
        *,
        subject: str = "",
        services: Iterable[str] = (),
        teams: Iterable[str] = (),
        expires_at: datetime | None = None,
        tier: str = "",
        tenant_id: str = "",
        request_id: str = "",
    ) -> pb.CreateApiKeyResponse:
        """Makes an API key; its `secret` is in this answer and nowhere else, and a repeat does not show it.

        `services` and `teams` narrow what the roles allow; `expires_at` is an aware datetime; `tenant_id` makes it in
        another tenant, for those who look after tenants.
        """
        request = pb.CreateApiKeyRequest(
            display_name=display_name,
            subject=subject,
            roles=roles,
            condition=_condition(services, teams),
            expire_time=times.maybe_timestamp(expires_at),
            tier=tier,
            tenant_id=tenant_id,
            request_id=request_id or calls.new_request_id(),
        )
        return await self._caller.unary(self._admin.CreateApiKey, request)

    async def get_api_key(self, api_key_id: str) -> pb.ApiKey:
        """One API key, without its secret."""
        request = pb.GetApiKeyRequest(api_key_id=api_key_id)
        return (await self._caller.unary(self._admin.GetApiKey, request)).api_key

    async def list_api_keys(
        self, *, show_revoked: bool = False, page_size: int = 0, page_token: str = ""
    ) -> pb.ListApiKeysResponse:
        """One page of the tenant's API keys, newest first; with `show_revoked` all there ever were."""
        request = pb.ListApiKeysRequest(show_revoked=show_revoked, page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._admin.ListApiKeys, request)

    async def iter_api_keys(
        self, *, show_revoked: bool = False, page_size: int = 100
    ) -> AsyncGenerator[pb.ApiKey, None]:
        """All of them."""
        token = ""
        while True:
            reply = await self.list_api_keys(show_revoked=show_revoked, page_size=page_size, page_token=token)
            for api_key in reply.api_keys:
                yield api_key
            token = reply.next_page_token
            if not token:
                return

    async def rotate_api_key(
        self, api_key_id: str, *, overlap: timedelta = timedelta(), request_id: str = ""
    ) -> pb.RotateApiKeyResponse:
        """Gives an API key another secret, which is in this answer only; the one before works for `overlap` more."""
        request = pb.RotateApiKeyRequest(
            api_key_id=api_key_id, overlap=times.duration(overlap), request_id=request_id or calls.new_request_id()
        )
        return await self._caller.unary(self._admin.RotateApiKey, request)

    async def revoke_api_key(self, api_key_id: str, *, reason: str = "", request_id: str = "") -> pb.ApiKey:
        """Revokes an API key for ever, and ends the streams that were opened with it."""
        request = pb.RevokeApiKeyRequest(
            api_key_id=api_key_id, reason=reason, request_id=request_id or calls.new_request_id()
        )
        return (await self._caller.unary(self._admin.RevokeApiKey, request)).api_key

    async def list_roles(self) -> pb.ListRolesResponse:
        """The roles, built-in ones first."""
        return await self._caller.unary(self._admin.ListRoles, pb.ListRolesRequest())

    async def get_role(self, name: str) -> pb.Role:
        """One role."""
        return (await self._caller.unary(self._admin.GetRole, pb.GetRoleRequest(name=name))).role

    async def create_role(
        self, name: str, permissions: Iterable[pb.Permission.ValueType], *, description: str = "", request_id: str = ""
    ) -> pb.Role:
        """Makes a role; it cannot have a permission that the caller lacks."""
        request = pb.CreateRoleRequest(
            name=name,
            description=description,
            permissions=permissions,
            request_id=request_id or calls.new_request_id(),
        )
        return (await self._caller.unary(self._admin.CreateRole, request)).role

    async def update_role(
        self,
        name: str,
        permissions: Iterable[pb.Permission.ValueType],
        *,
        description: str = "",
        etag: str = "",
        request_id: str = "",
    ) -> pb.Role:
        """Says anew what a role is for and allows; it counts within seconds for all who have it."""
        request = pb.UpdateRoleRequest(
            name=name,
            description=description,
            permissions=permissions,
            etag=etag,
            request_id=request_id or calls.new_request_id(),
        )
        return (await self._caller.unary(self._admin.UpdateRole, request)).role

    async def delete_role(self, name: str, *, request_id: str = "") -> pb.Role:
        """Deletes a role that no API key has."""
        request = pb.DeleteRoleRequest(name=name, request_id=request_id or calls.new_request_id())
        return (await self._caller.unary(self._admin.DeleteRole, request)).role

    async def create_tenant(
        self,
        tenant_id: str,
        *,
        display_name: str = "",
        limits: pb.TenantLimits | None = None,
        request_id: str = "",
    ) -> pb.Tenant:
        """Makes a tenant."""
        request = pb.CreateTenantRequest(
            tenant_id=tenant_id,
            display_name=display_name,
            limits=limits,
            request_id=request_id or calls.new_request_id(),
        )
        return (await self._caller.unary(self._admin.CreateTenant, request)).tenant

    async def get_tenant(self, tenant_id: str) -> pb.Tenant:
        """One tenant."""
        return (await self._caller.unary(self._admin.GetTenant, pb.GetTenantRequest(tenant_id=tenant_id))).tenant

    async def list_tenants(self, *, page_size: int = 0, page_token: str = "") -> pb.ListTenantsResponse:
        """One page of the tenants by id."""
        request = pb.ListTenantsRequest(page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._admin.ListTenants, request)

    async def iter_tenants(self, *, page_size: int = 100) -> AsyncGenerator[pb.Tenant, None]:
        """All of them."""
        token = ""
        while True:
            reply = await self.list_tenants(page_size=page_size, page_token=token)
            for tenant in reply.tenants:
                yield tenant
            token = reply.next_page_token
            if not token:
                return

    async def update_tenant(
        self,
        tenant_id: str,
        *,
        display_name: str = "",
        state: pb.TenantState.ValueType = pb.TenantState.TENANT_STATE_UNSPECIFIED,
        limits: pb.TenantLimits | None = None,
        etag: str = "",
        request_id: str = "",
    ) -> pb.Tenant:
        """Renames, limits, suspends or resumes a tenant; what is not given stays."""
        request = pb.UpdateTenantRequest(
            tenant_id=tenant_id,
            display_name=display_name,
            state=state,
            limits=limits,
            etag=etag,
            request_id=request_id or calls.new_request_id(),
        )
        return (await self._caller.unary(self._admin.UpdateTenant, request)).tenant

    async def export_tenant(self, tenant_id: str) -> AsyncGenerator[bytes, None]:
        """Everything a tenant has, as JSON lines in chunks of whole lines; the last line counts the rows."""
        request = pb.ExportTenantRequest(tenant_id=tenant_id)
        async for reply in self._caller.stream(self._admin.ExportTenant, request):
            yield reply.chunk

    async def erase_tenant(self, tenant_id: str, *, confirm: str, reason: str = "", request_id: str = "") -> pb.Tenant:
        """Deletes everything a tenant has but its audit, for ever. `confirm` is its id once more."""
        request = pb.EraseTenantRequest(
            tenant_id=tenant_id, confirm=confirm, reason=reason, request_id=request_id or calls.new_request_id()
        )
        return (await self._caller.unary(self._admin.EraseTenant, request)).tenant

    async def deny_certificate(
        self, fingerprint: str, *, reason: str = "", request_id: str = ""
    ) -> pb.DeniedCertificate:
        """Refuses the client certificate with this SHA-256 (hex digits, with or without colons) from now on."""
        request = pb.DenyCertificateRequest(
            fingerprint=fingerprint, reason=reason, request_id=request_id or calls.new_request_id()
        )
        return (await self._caller.unary(self._admin.DenyCertificate, request)).certificate

    async def allow_certificate(self, fingerprint: str, *, request_id: str = "") -> pb.DeniedCertificate:
        """Ends that refusal."""
        request = pb.AllowCertificateRequest(fingerprint=fingerprint, request_id=request_id or calls.new_request_id())
        return (await self._caller.unary(self._admin.AllowCertificate, request)).certificate

    async def list_denied_certificates(
        self, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListDeniedCertificatesResponse:
        """One page of the refused certificates, newest first."""
        request = pb.ListDeniedCertificatesRequest(page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._admin.ListDeniedCertificates, request)

    async def iter_denied_certificates(self, *, page_size: int = 100) -> AsyncGenerator[pb.DeniedCertificate, None]:
        """All of them."""
        token = ""
        while True:
            reply = await self.list_denied_certificates(page_size=page_size, page_token=token)
            for certificate in reply.certificates:
                yield certificate
            token = reply.next_page_token
            if not token:
                return


def _condition(services: Iterable[str], teams: Iterable[str]) -> pb.ResourceCondition | None:
    found = pb.ResourceCondition(services=services, teams=teams)
    return found if found.services or found.teams else None

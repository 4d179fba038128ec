# Written by `make gen` from llm_incident_client/access.py: edit that file.
"""The methods of AdminService that are about who is let in: API keys, roles, tenants, refused certificates."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from llm_incident_client import access as asynchronous
from llm_incident_client import pb
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class AccessCalls(Blocking):
    """Who is let in, and to what. All methods raise IncidentManagerError."""

    def who_am_i(self) -> pb.Principal:
        """The caller as the server sees it."""
        return self.portal.wait(self._as(asynchronous.AccessCalls).who_am_i())

    def create_api_key(
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
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).create_api_key(
                display_name,
                list(roles),
                subject=subject,
                services=list(services),
                teams=list(teams),
                expires_at=expires_at,
                tier=tier,
                tenant_id=tenant_id,
                request_id=request_id,
            )
        )

    def get_api_key(self, api_key_id: str) -> pb.ApiKey:
        """One API key, without its secret."""
        return self.portal.wait(self._as(asynchronous.AccessCalls).get_api_key(api_key_id))

    def list_api_keys(
        self, *, show_revoked: bool = False, page_size: int = 0, page_token: str = ""
    ) -> pb.ListApiKeysResponse:
        """One page of the tenant's API keys, newest first; with `show_revoked` all there ever were."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).list_api_keys(
                show_revoked=show_revoked, page_size=page_size, page_token=page_token
            )
        )

    def iter_api_keys(self, *, show_revoked: bool = False, page_size: int = 100) -> Items[pb.ApiKey]:
        """All of them."""
        return Items(
            self, self._as(asynchronous.AccessCalls).iter_api_keys(show_revoked=show_revoked, page_size=page_size)
        )

    def rotate_api_key(
        self, api_key_id: str, *, overlap: timedelta = timedelta(), request_id: str = ""
    ) -> pb.RotateApiKeyResponse:
        """Gives an API key another secret, which is in this answer only; the one before works for `overlap` more."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).rotate_api_key(api_key_id, overlap=overlap, request_id=request_id)
        )

    def revoke_api_key(self, api_key_id: str, *, reason: str = "", request_id: str = "") -> pb.ApiKey:
        """Revokes an API key for ever, and ends the streams that were opened with it."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).revoke_api_key(api_key_id, reason=reason, request_id=request_id)
        )

    def list_roles(self) -> pb.ListRolesResponse:
        """The roles, built-in ones first."""
        return self.portal.wait(self._as(asynchronous.AccessCalls).list_roles())

    def get_role(self, name: str) -> pb.Role:
        """One role."""
        return self.portal.wait(self._as(asynchronous.AccessCalls).get_role(name))

    def create_role(
        self, name: str, permissions: Iterable[pb.Permission.ValueType], *, description: str = "", request_id: str = ""
    ) -> pb.Role:
        """Makes a role; it cannot have a permission that the caller lacks."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).create_role(
                name, list(permissions), description=description, request_id=request_id
            )
        )

    def update_role(
        self,
        name: str,
        permissions: Iterable[pb.Permission.ValueType],
        *,
        description: str = "",
        etag: str = "",
        request_id: str = "",
    ) -> pb.Role:
        """Says anew what a role is for and allows; it counts within seconds for all who have it."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).update_role(
                name, list(permissions), description=description, etag=etag, request_id=request_id
            )
        )

    def delete_role(self, name: str, *, request_id: str = "") -> pb.Role:
        """Deletes a role that no API key has."""
        return self.portal.wait(self._as(asynchronous.AccessCalls).delete_role(name, request_id=request_id))

    def create_tenant(
        self, tenant_id: str, *, display_name: str = "", limits: pb.TenantLimits | None = None, request_id: str = ""
    ) -> pb.Tenant:
        """Makes a tenant."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).create_tenant(
                tenant_id, display_name=display_name, limits=limits, request_id=request_id
            )
        )

    def get_tenant(self, tenant_id: str) -> pb.Tenant:
        """One tenant."""
        return self.portal.wait(self._as(asynchronous.AccessCalls).get_tenant(tenant_id))

    def list_tenants(self, *, page_size: int = 0, page_token: str = "") -> pb.ListTenantsResponse:
        """One page of the tenants by id."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).list_tenants(page_size=page_size, page_token=page_token)
        )

    def iter_tenants(self, *, page_size: int = 100) -> Items[pb.Tenant]:
        """All of them."""
        return Items(self, self._as(asynchronous.AccessCalls).iter_tenants(page_size=page_size))

    def update_tenant(
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
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).update_tenant(
                tenant_id, display_name=display_name, state=state, limits=limits, etag=etag, request_id=request_id
            )
        )

    def export_tenant(self, tenant_id: str) -> Items[bytes]:
        """Everything a tenant has, as JSON lines in chunks of whole lines; the last line counts the rows."""
        return Items(self, self._as(asynchronous.AccessCalls).export_tenant(tenant_id))

    def erase_tenant(self, tenant_id: str, *, confirm: str, reason: str = "", request_id: str = "") -> pb.Tenant:
        """Deletes everything a tenant has but its audit, for ever. `confirm` is its id once more."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).erase_tenant(
                tenant_id, confirm=confirm, reason=reason, request_id=request_id
            )
        )

    def deny_certificate(self, fingerprint: str, *, reason: str = "", request_id: str = "") -> pb.DeniedCertificate:
        """Refuses the client certificate with this SHA-256 (hex digits, with or without colons) from now on."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).deny_certificate(fingerprint, reason=reason, request_id=request_id)
        )

    def allow_certificate(self, fingerprint: str, *, request_id: str = "") -> pb.DeniedCertificate:
        """Ends that refusal."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).allow_certificate(fingerprint, request_id=request_id)
        )

    def list_denied_certificates(
        self, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListDeniedCertificatesResponse:
        """One page of the refused certificates, newest first."""
        return self.portal.wait(
            self._as(asynchronous.AccessCalls).list_denied_certificates(page_size=page_size, page_token=page_token)
        )

    def iter_denied_certificates(self, *, page_size: int = 100) -> Items[pb.DeniedCertificate]:
        """All of them."""
        return Items(self, self._as(asynchronous.AccessCalls).iter_denied_certificates(page_size=page_size))

"""What every process knows by heart of who is let in: roles, tenants and refused certificates, at most seconds old.

Nothing here asks the database: a call is let in or refused without waiting.
"""

from collections.abc import Iterable
from typing import Protocol

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import TenantLimits, TenantState


class DeniedCertificates(Protocol):
    """Client certificates that are refused though an authority we trust has signed them."""

    def denied(self, fingerprint: bytes) -> bool:
        """Whether the certificate with this SHA-256 (32 bytes, of its DER form) is refused now."""
        ...


class KnownRoles(Protocol):
    """The roles, built in and custom."""

    def permissions(self, tenant: TenantId, roles: Iterable[str]) -> frozenset[str]:
        """What these roles of a tenant allow together; a role that nobody knows allows nothing."""
        ...


class KnownTenants(Protocol):
    """The tenants."""

    def state_of(self, tenant: TenantId) -> TenantState | None:
        """Whether it is served; None when there is no such tenant."""
        ...

    def limits_of(self, tenant: TenantId) -> TenantLimits:
        """How much it may send; zeros where the configuration decides."""
        ...


class Access(DeniedCertificates, KnownRoles, KnownTenants, Protocol):
    """All of it."""

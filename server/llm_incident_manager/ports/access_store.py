"""API keys, custom roles, tenants and refused certificates as a store keeps them.

Every change of them takes the next revision of access first, and holds it until its transaction ends: such changes
follow one after the other, and a process that has seen a revision has seen everything before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from llm_incident_manager.domain.access import CustomRole, DeniedCertificate
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import Tenant
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.tenant_data import TenantData


class RoleRemoved(NamedTuple):
    """A custom role that is no more."""

    tenant: TenantId
    name: str


class CertificateAllowed(NamedTuple):
    """A certificate that is not refused any more."""

    fingerprint: bytes


AccessRow: TypeAlias = ApiKey | CustomRole | Tenant | DeniedCertificate | RoleRemoved | CertificateAllowed
"""What a transaction writes: a new row, or the row that takes the place of an older one, or one that goes.

When a key was last used is not written with it: see `note_uses`.
"""


class AccessNews(NamedTuple):
    """What counts at a revision, or later: the keys that changed since another one, and all of the rest."""

    revision: int
    keys: Sequence[ApiKey]
    roles: Sequence[CustomRole]
    tenants: Sequence[Tenant]
    denied: Sequence[DeniedCertificate]


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """API keys of a tenant, newest first, with ids smaller than `before`. Without `revoked` only those that count."""

    tenant: TenantId
    now: Instant
    before: str = ""
    limit: int = 100
    revoked: bool = False


class AccessReads(Protocol):
    """What a store, and a unit of work, is asked about one of them."""

    async def api_key(self, tenant: TenantId, id_: str) -> ApiKey | None:
        """A key, revoked or not."""
        ...

    async def role(self, tenant: TenantId, name: str) -> CustomRole | None:
        """A custom role."""
        ...

    async def tenant(self, id_: str) -> Tenant | None:
        """A tenant, whatever its state."""
        ...

    async def denied_certificate(self, fingerprint: bytes) -> DeniedCertificate | None:
        """The refusal of a certificate."""
        ...


class AccessHolding(AccessReads, Protocol):
    """What only a unit of work is asked."""

    async def next_access_revision(self) -> int:
        """Takes the next revision: nobody else changes access until this unit of work ends."""
        ...

    async def key_with_role(self, tenant: TenantId, role: str, now: Instant) -> str | None:
        """The id of a key that counts and has that role, if there is one."""
        ...


class AccessStore(AccessReads, TenantData, Protocol):
    """What only a store is asked."""

    async def access_revision(self) -> int:
        """The last one that is committed."""
        ...

    async def access_since(self, revision: int) -> AccessNews:
        """What has changed since a revision; everything since 0, without keys that were revoked."""
        ...

    async def api_keys(self, query: KeyQuery) -> Sequence[ApiKey]:
        """One page of keys."""
        ...

    async def roles(self, tenant: TenantId) -> Sequence[CustomRole]:
        """The custom roles of a tenant by name."""
        ...

    async def tenants(self, after: str, limit: int) -> Sequence[Tenant]:
        """Tenants with an id larger than `after`, by id."""
        ...

    async def denied_certificates(
        self, before: tuple[Instant, bytes] | None, limit: int
    ) -> Sequence[DeniedCertificate]:
        """Refused certificates, newest first, behind one of that moment and fingerprint."""
        ...

    async def note_uses(self, uses: Mapping[str, Instant]) -> None:
        """Notes when keys were last used, by id; what is noted already is never made earlier."""
        ...

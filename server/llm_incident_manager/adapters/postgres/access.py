"""What the store, and a unit of work, is asked about API keys, roles, tenants and refused certificates."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from llm_incident_manager.adapters.postgres.pool import Connection, Rows
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import access
from llm_incident_manager.domain.access import CustomRole, DeniedCertificate
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import Tenant
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.access_store import AccessNews, AccessRow, KeyQuery


class _Reads(ABC):
    """Implements ports.access_store.AccessReads."""

    async def api_key(self, tenant: TenantId, id_: str) -> ApiKey | None:
        """A key, revoked or not."""
        found = await self._fetch("api_key", tenant, id_)
        return access.key_of(tuple(found[0])) if found else None

    async def role(self, tenant: TenantId, name: str) -> CustomRole | None:
        """A custom role."""
        found = await self._fetch("role", tenant, name)
        return access.role_of(tuple(found[0])) if found else None

    async def tenant(self, id_: str) -> Tenant | None:
        """A tenant, whatever its state."""
        found = await self._fetch("tenant", id_)
        return access.tenant_of(tuple(found[0])) if found else None

    async def denied_certificate(self, fingerprint: bytes) -> DeniedCertificate | None:
        """The refusal of a certificate."""
        found = await self._fetch("denied_certificate", fingerprint.hex())
        return access.denied_of(tuple(found[0])) if found else None

    @abstractmethod
    async def _fetch(self, name: str, *values: object) -> Rows:
        """What a statement answers."""


class AccessHeld(_Reads):
    """Implements ports.access_store.AccessHolding."""

    async def next_access_revision(self) -> int:
        """Takes the next revision: nobody else changes access until this unit of work ends."""
        ((revision,),) = await self._fetch("next_access_revision")
        return int(revision)

    async def key_with_role(self, tenant: TenantId, role: str, now: Instant) -> str | None:
        """The id of a key that counts and has that role, if there is one."""
        found = await self._fetch("key_with_role", tenant, role, now)
        return str(found[0][0]) if found else None


class AccessLists(_Reads):
    """Implements ports.access_store.AccessStore, on the primary: a replica may not know yet whom to refuse."""

    async def access_revision(self) -> int:
        """The last one that is committed."""
        ((revision,),) = await self._fetch("access_revision")
        return int(revision)

    async def access_since(self, revision: int) -> AccessNews:
        """What has changed since a revision; everything since 0."""
        # The revision is read first: what is committed meanwhile is read now, and once more at the next look.
        now = await self.access_revision()
        return AccessNews(
            now,
            [access.key_of(tuple(row)) for row in await self._fetch("keys_since", revision)],
            [access.role_of(tuple(row)) for row in await self._fetch("all_roles")],
            [access.tenant_of(tuple(row)) for row in await self._fetch("all_tenants")],
            [access.denied_of(tuple(row)) for row in await self._fetch("all_denied_certificates")],
        )

    async def api_keys(self, query: KeyQuery) -> Sequence[ApiKey]:
        """One page of keys."""
        return [access.key_of(tuple(row)) for row in await self._fetch("api_keys", *access.page_of(query))]

    async def roles(self, tenant: TenantId) -> Sequence[CustomRole]:
        """The custom roles of a tenant by name."""
        return [access.role_of(tuple(row)) for row in await self._fetch("roles", tenant)]

    async def tenants(self, after: str, limit: int) -> Sequence[Tenant]:
        """Tenants with an id larger than `after`, by id."""
        return [access.tenant_of(tuple(row)) for row in await self._fetch("tenants", after, limit)]

    async def denied_certificates(
        self, before: tuple[Instant, bytes] | None, limit: int
    ) -> Sequence[DeniedCertificate]:
        """Refused certificates, newest first."""
        found = await self._fetch("denied_certificates", *access.behind(before), limit)
        return [access.denied_of(tuple(row)) for row in found]

    async def note_uses(self, uses: Mapping[str, Instant]) -> None:
        """Notes when keys were last used, by id."""
        if uses:
            await self._fetch("note_uses", list(uses), list(uses.values()))


async def write(connection: Connection, changed: Iterable[AccessRow]) -> None:
    """Writes what a unit of work changes of access."""
    for name, values in access.statements(changed):
        await connection.execute(SQL[name], *values)

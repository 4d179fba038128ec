"""What the store, and a unit of work, is asked about API keys, roles, tenants and refused certificates."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from llm_incident_manager.adapters.sql import access
from llm_incident_manager.adapters.sqlite.statements import first, rows
from llm_incident_manager.adapters.sqlite.writer import Writer
from llm_incident_manager.domain.access import CustomRole, DeniedCertificate
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import Tenant
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.access_store import AccessNews, AccessRow, KeyQuery

T = TypeVar("T")


class _Reads(ABC):
    """Implements ports.access_store.AccessReads."""

    async def api_key(self, tenant: TenantId, id_: str) -> ApiKey | None:
        """A key, revoked or not."""
        row = await self._one("api_key", tenant, id_)
        return None if row is None else access.key_of(row)

    async def role(self, tenant: TenantId, name: str) -> CustomRole | None:
        """A custom role."""
        row = await self._one("role", tenant, name)
        return None if row is None else access.role_of(row)

    async def tenant(self, id_: str) -> Tenant | None:
        """A tenant, whatever its state."""
        row = await self._one("tenant", id_)
        return None if row is None else access.tenant_of(row)

    async def denied_certificate(self, fingerprint: bytes) -> DeniedCertificate | None:
        """The refusal of a certificate."""
        row = await self._one("denied_certificate", fingerprint.hex())
        return None if row is None else access.denied_of(row)

    @abstractmethod
    async def _one(self, name: str, *values: object) -> tuple[Any, ...] | None:
        """The first row that a statement answers."""


class AccessHeld(_Reads):
    """Implements ports.access_store.AccessHolding: whoever has a unit of work is alone."""

    async def next_access_revision(self) -> int:
        """Takes the next revision."""
        ((revision,),) = await self._run(lambda connection: rows(connection, "next_access_revision"))
        return int(revision)

    async def key_with_role(self, tenant: TenantId, role: str, now: Instant) -> str | None:
        """The id of a key that counts and has that role, if there is one."""
        row = await self._one("key_with_role", tenant, role, now)
        return None if row is None else str(row[0])

    async def _one(self, name: str, *values: object) -> tuple[Any, ...] | None:
        return await self._run(lambda connection: first(connection, name, values))

    @abstractmethod
    async def _run(self, function: Callable[[apsw.Connection], T]) -> T:
        """Runs a function in the unit of work."""


class AccessLists(_Reads):
    """Implements ports.access_store.AccessStore."""

    _writer: Writer

    async def access_revision(self) -> int:
        """The last one that is committed."""
        return await self._read(_revision)

    async def access_since(self, revision: int) -> AccessNews:
        """What has changed since a revision; everything since 0."""
        return await self._read(partial(_news, since=revision))

    async def api_keys(self, query: KeyQuery) -> Sequence[ApiKey]:
        """One page of keys."""
        names = ("tenant", "before", "limit", "now", "revoked")
        values = dict(zip(names, access.page_of(query), strict=True))
        return [access.key_of(row) for row in await self._read(lambda connection: rows(connection, "api_keys", values))]

    async def roles(self, tenant: TenantId) -> Sequence[CustomRole]:
        """The custom roles of a tenant by name."""
        return [access.role_of(row) for row in await self._rows("roles", tenant)]

    async def tenants(self, after: str, limit: int) -> Sequence[Tenant]:
        """Tenants with an id larger than `after`, by id."""
        return [access.tenant_of(row) for row in await self._rows("tenants", after, limit)]

    async def denied_certificates(
        self, before: tuple[Instant, bytes] | None, limit: int
    ) -> Sequence[DeniedCertificate]:
        """Refused certificates, newest first."""
        found = await self._rows("denied_certificates", *access.behind(before), limit)
        return [access.denied_of(row) for row in found]

    async def note_uses(self, uses: Mapping[str, Instant]) -> None:
        """Notes when keys were last used, by id."""
        await self._writer.unit(partial(_note_uses, uses=dict(uses)))

    async def _one(self, name: str, *values: object) -> tuple[Any, ...] | None:
        return await self._read(lambda connection: first(connection, name, values))

    async def _rows(self, name: str, *values: object) -> list[tuple[Any, ...]]:
        return await self._read(lambda connection: rows(connection, name, values))

    @abstractmethod
    async def _read(self, function: Callable[[apsw.Connection], T]) -> T:
        """Runs a reading function."""


def write(connection: apsw.Connection, changed: Iterable[AccessRow]) -> None:
    """Writes what a unit of work changes of access."""
    for name, values in access.statements(changed):
        rows(connection, name, values)


def _revision(connection: apsw.Connection) -> int:
    ((revision,),) = rows(connection, "access_revision")
    return int(revision)


def _news(connection: apsw.Connection, *, since: int) -> AccessNews:
    # The revision is read first: what is committed meanwhile is read now, and once more at the next look.
    revision = _revision(connection)
    return AccessNews(
        revision,
        [access.key_of(row) for row in rows(connection, "keys_since", (since,))],
        [access.role_of(row) for row in rows(connection, "all_roles")],
        [access.tenant_of(row) for row in rows(connection, "all_tenants")],
        [access.denied_of(row) for row in rows(connection, "all_denied_certificates")],
    )


def _note_uses(connection: apsw.Connection, *, uses: Mapping[str, Instant]) -> None:
    for id_, at in uses.items():
        rows(connection, "note_use", {"id": id_, "at": at})

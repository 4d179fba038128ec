"""What this process knows by heart of who is let in: read once, then whenever the revision of access has changed.

While the database does not answer, what was known last counts: nobody can change access meanwhile either.
"""

import asyncio
from collections.abc import Iterable

from llm_incident_manager.domain.access import ROLES, Principal
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import AS_CONFIGURED, Tenant, TenantLimits, TenantState
from llm_incident_manager.ports.access_store import AccessNews, AccessStore
from llm_incident_manager.telemetry import logs

EVERY_SECONDS = 1.0
"""Between two looks at the revision, where other processes may change it and a hint may be lost."""

FOR_ALL = frozenset({"SELF_READ"})
"""Whoever is let in may see who they are."""


class AccessBook:
    """Implements ports.access.Access, and knows the API keys."""

    def __init__(self, store: AccessStore, every: float | None = EVERY_SECONDS) -> None:
        """Knows nothing yet: `refresh` reads it. Without `every` (seconds) it looks only when it is woken."""
        self._store = store
        self._every = every
        self._revision = 0
        self._keys: dict[str, ApiKey] = {}
        self._roles: dict[tuple[TenantId, str], frozenset[str]] = {}
        self._tenants: dict[TenantId, Tenant] = {}
        self._denied: frozenset[bytes] = frozenset()
        self._principals: dict[str, Principal] = {}
        self._reading = asyncio.Lock()
        self._wake = asyncio.Event()
        self._log = logs.get("access")

    def wake(self) -> None:
        """Somebody has changed access."""
        self._wake.set()

    async def run(self) -> None:
        """Keeps it up to date until cancelled."""
        away = False
        while True:
            self._wake.clear()
            try:
                await self.refresh()
                away = False
            except DomainError as error:
                if not away:
                    self._log.warning("access.not_read", error=error.message, meaning="what was known still counts")
                away = True
            await self._pause(again=away)

    async def refresh(self) -> None:
        """Reads what has changed, if anything has. Raises StoreUnavailable."""
        async with self._reading:
            revision = await self._store.access_revision()
            if revision != self._revision:
                since = self._revision if revision > self._revision else 0  # smaller: an older database was put back
                self._take(await self._store.access_since(since), anew=since == 0)

    async def settle(self) -> None:
        """After a change of our own: it counts here from now on, at the latest with the next look."""
        try:
            await self.refresh()
        except DomainError as error:
            self._log.warning("access.not_read", error=error.message, meaning="the change counts a moment later")
            self.wake()

    def denied(self, fingerprint: bytes) -> bool:
        """Whether the certificate with this SHA-256 is refused now."""
        return fingerprint in self._denied

    def permissions(self, tenant: TenantId, roles: Iterable[str]) -> frozenset[str]:
        """What these roles of a tenant allow together; a role that nobody knows allows nothing."""
        return FOR_ALL.union(*(ROLES.get(role) or self._roles.get((tenant, role), FOR_ALL) for role in roles))

    def state_of(self, tenant: TenantId) -> TenantState | None:
        """Whether it is served; None when there is no such tenant."""
        known = self._tenants.get(tenant)
        return None if known is None else known.state

    def limits_of(self, tenant: TenantId) -> TenantLimits:
        """How much it may send; zeros where the configuration decides."""
        known = self._tenants.get(tenant)
        return AS_CONFIGURED if known is None else known.limits

    def key(self, id_: str) -> ApiKey | None:
        """A key that was not revoked; it may have expired."""
        return self._keys.get(id_)

    @property
    def holds_keys(self) -> bool:
        """Whether there is any key that was not revoked."""
        return bool(self._keys)

    def keys_of_other_peppers(self, pepper: str) -> int:
        """How many keys there are that a pepper, by its name, does not fit."""
        return sum(key.pepper != pepper for key in self._keys.values())

    def principal(self, key: ApiKey) -> Principal:
        """Who calls with a key that this book has given."""
        known = self._principals.get(key.id)
        if known is None:
            known = self._principals[key.id] = Principal(
                tenant=key.tenant,
                subject=key.subject,
                roles=frozenset(key.roles),
                permissions=self.permissions(key.tenant, key.roles),
                proven_by="api_key",
                credential=key.id,
                condition=key.condition,
                expires_at=key.expires_at,
                tier=key.tier,
                issue=key.issue,
            )
        return known

    def _take(self, news: AccessNews, *, anew: bool) -> None:
        if anew:
            self._keys.clear()
        for key in news.keys:
            if key.revoked_at is None:
                self._keys[key.id] = key
            else:
                self._keys.pop(key.id, None)
        self._roles = {(role.tenant, role.name): role.permissions for role in news.roles}
        self._tenants = {tenant.id: tenant for tenant in news.tenants}
        self._denied = frozenset(each.fingerprint for each in news.denied)
        self._principals.clear()
        self._revision = news.revision

    async def _pause(self, *, again: bool) -> None:
        seconds = EVERY_SECONDS if again else self._every
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

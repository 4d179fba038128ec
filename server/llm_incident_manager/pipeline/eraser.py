"""Deletes what tenants had that are to be erased: in small steps, one process at a time, whoever began it.

The audit stays, whole, so that it can still be proven; the tenant's id stays taken.
"""

from dataclasses import replace

from llm_incident_manager.domain import access_changes
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.tenants import Tenant, TenantState
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.domain.timeline import AuditRecord
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.telemetry import logs

EVERY_SECONDS = 5.0
AT_ONCE = 500
"""Rows deleted in one transaction: few enough that nobody waits for it."""

REST = 2
"""After each step, so many times as long as it took belongs to others."""

SETTLED_SECONDS = 15
"""So long after its callers were refused something of a tenant's may still be under way."""

ACTOR = "eraser"


class Eraser:
    """Looks for tenants that are to be erased."""

    def __init__(self, tools: Tools, settled: float = SETTLED_SECONDS) -> None:
        """`settled` in seconds."""
        self._tools = tools
        self._settled = int(settled * SECOND)
        self._log = logs.get("erase")

    async def run(self) -> None:
        """Does so again and again, until cancelled."""
        while True:
            try:
                await self.once()
            except DomainError as error:
                self._log.warning("erase.failed", error=error.message)
            await self._tools.clock.sleep(EVERY_SECONDS)

    async def once(self) -> int:
        """Deletes all there is of every such tenant; returns how many rows that were. Raises StoreUnavailable."""
        gone, after = 0, ""
        while found := await self._tools.store.tenants(after, AT_ONCE):
            for tenant in found:
                if tenant.state is TenantState.ERASING:
                    gone += await self._erase(tenant)
            after = found[-1].id
        return gone

    async def _erase(self, tenant: Tenant) -> int:
        clock, gone = self._tools.clock, 0
        while step := await self._step(tenant):
            gone += step
        if gone:
            self._log.info("erase.deleted", tenant=tenant.id, rows=gone)
        elif clock.now() - tenant.updated_at >= self._settled:
            await self._finish(tenant)
        return gone

    async def _step(self, tenant: Tenant) -> int:
        clock = self._tools.clock
        began = clock.now()
        gone = await self._tools.store.erase_rows(tenant.id, AT_ONCE)
        if gone:
            await clock.sleep(REST * max(0, clock.now() - began) / SECOND)
        return gone

    async def _finish(self, tenant: Tenant) -> None:
        """A whole round has found nothing: there is nothing left."""
        changes, now = Changes(), self._tools.clock.now()
        async with self._tools.store.transaction() as tx:
            revision = await tx.next_access_revision()
            current = await tx.tenant(tenant.id)
            if current is None or current.state is not TenantState.ERASING:
                return
            erased = replace(current, display_name=current.id, state=TenantState.ERASED)
            erased = replace(erased, updated_at=now, revision=revision)
            changes.access.append(erased)
            resource = f"tenant/{tenant.id}"
            was, is_ = access_changes.between(current, erased)
            changes.audit.append(AuditRecord(tenant.id, now, ACTOR, "tenant.erased", resource, before=was, after=is_))
            await tx.write(changes)
        self._tools.wake(changes)
        self._log.info("erase.done", tenant=tenant.id)

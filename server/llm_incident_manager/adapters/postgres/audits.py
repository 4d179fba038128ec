"""The part of the store that is about the audit trail. Changes no record."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractAsyncContextManager

from llm_incident_manager.adapters.postgres import retention
from llm_incident_manager.adapters.postgres.chains import Chains
from llm_incident_manager.adapters.postgres.pool import Rows
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.postgres.transaction import PostgresTransaction
from llm_incident_manager.adapters.sql import checkpoints
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.audit import AuditQuery, ChainHead

_HIGHEST = 2**63 - 1


class Audited(ABC):
    """Implements ports.audit.AuditStore with what the rest of the store lends. Only lists may come from a replica."""

    _chains: Chains

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[PostgresTransaction]:
        """Opens a unit of work."""

    @abstractmethod
    async def _fetch(self, name: str, *values: object) -> Rows:
        """What a statement answers, on the primary."""

    @abstractmethod
    async def _read(self, statement: str, *values: object) -> Rows:
        """What a statement answers."""

    async def audit_heads(self, tenant: TenantId | None = None) -> Sequence[ChainHead]:
        """Where the chains end, in order of tenant and writer; of all tenants when None."""
        found = await (self._fetch("audit_heads") if tenant is None else self._fetch("audit_heads_of", tenant))
        return [ChainHead(*row) for row in found]

    async def audit_rows(self, tenant: TenantId, writer: str, after: int, limit: int) -> Sequence[AuditRow]:
        """Records of a chain behind a sequence number, in order."""
        return [AuditRow(*row) for row in await self._fetch("audit_rows", tenant, writer, after, limit)]

    async def audit_page(self, query: AuditQuery) -> Sequence[AuditRow]:
        """One page of a list."""
        found = await self._read(SQL["audit_page"], *checkpoints.page_values(query).values())
        return [AuditRow(*row) for row in found]

    async def audit_checkpoints(self, tenant: TenantId, after: int, limit: int) -> Sequence[Checkpoint]:
        """Checkpoints behind a number, oldest first."""
        return [checkpoints.of_row(tuple(row)) for row in await self._fetch("checkpoints_after", tenant, after, limit)]

    async def latest_audit_checkpoints(self, tenant: TenantId, before: int, limit: int) -> Sequence[Checkpoint]:
        """Checkpoints below a number (0: all), newest first."""
        found = await self._fetch("checkpoints_before", tenant, before or _HIGHEST, limit)
        return [checkpoints.of_row(tuple(row)) for row in found]

    async def add_audit_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keeps a checkpoint. Raises KeyTaken when there is one of its number."""
        async with self.transaction() as unit:
            await unit.execute(SQL["insert_checkpoint"], *checkpoints.row_of(checkpoint))
            if checkpoint.retired:
                wanted = (checkpoint.tenant, list(checkpoint.retired), checkpoint.number)
                await unit.execute(SQL["retire_chains"], *wanted)

    async def retired_audit_chains(self) -> AbstractSet[tuple[TenantId, str]]:
        """Tenant and writer of the chains that checkpoints have retired."""
        return {(tenant, writer) for tenant, writer in await self._fetch("retired_chains")}

    async def finished_audit_chains(self, before: Instant) -> Sequence[tuple[TenantId, str]]:
        """Tenant and writer of the chains of runs that have written nothing since, and write nothing any more."""
        found = retention.finished_chains(await self._fetch("audit_heads"), before, self._chains.run)
        return [(TenantId(chain.tenant), chain.writer) for chain in found]

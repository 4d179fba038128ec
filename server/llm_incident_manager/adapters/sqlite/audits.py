"""The part of the store that is about the audit trail. Changes no record."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol, TypeVar

import apsw

from llm_incident_manager.adapters.sql import checkpoints
from llm_incident_manager.adapters.sqlite import retention
from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.adapters.sqlite.writer import Writer
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.audit import AuditQuery, ChainHead
from llm_incident_manager.ports.stores import KeyTaken

T = TypeVar("T")

_HIGHEST = 2**63 - 1


class _Lending(Protocol):
    """What the rest of the store lends."""

    _writer: Writer

    async def _read(self, function: Callable[[apsw.Connection], T]) -> T: ...


class Audited:
    """Implements ports.audit.AuditStore."""

    async def audit_heads(self: _Lending, tenant: TenantId | None = None) -> Sequence[ChainHead]:
        """Where the chains end, in order of tenant and writer; of all tenants when None."""
        name, values = ("audit_heads", {}) if tenant is None else ("audit_heads_of", {"tenant": tenant})
        return [ChainHead(*row) for row in await self._read(lambda connection: rows(connection, name, values))]

    async def audit_rows(self: _Lending, tenant: TenantId, writer: str, after: int, limit: int) -> Sequence[AuditRow]:
        """Records of a chain behind a sequence number, in order."""
        values = (tenant, writer, after, limit)
        found = await self._read(lambda connection: rows(connection, "audit_rows", values))
        return [AuditRow(*row) for row in found]

    async def audit_page(self: _Lending, query: AuditQuery) -> Sequence[AuditRow]:
        """One page of a list."""
        values = checkpoints.page_values(query)
        return [AuditRow(*row) for row in await self._read(lambda connection: rows(connection, "audit_page", values))]

    async def audit_checkpoints(self: _Lending, tenant: TenantId, after: int, limit: int) -> Sequence[Checkpoint]:
        """Checkpoints behind a number, oldest first."""
        values = (tenant, after, limit)
        found = await self._read(lambda connection: rows(connection, "checkpoints_after", values))
        return [checkpoints.of_row(row) for row in found]

    async def latest_audit_checkpoints(
        self: _Lending, tenant: TenantId, before: int, limit: int
    ) -> Sequence[Checkpoint]:
        """Checkpoints below a number (0: all), newest first."""
        values = (tenant, before or _HIGHEST, limit)
        found = await self._read(lambda connection: rows(connection, "checkpoints_before", values))
        return [checkpoints.of_row(row) for row in found]

    async def add_audit_checkpoint(self: _Lending, checkpoint: Checkpoint) -> None:
        """Keeps a checkpoint. Raises KeyTaken when there is one of its number."""
        await self._writer.unit(lambda connection: _add(connection, checkpoint))

    async def retired_audit_chains(self: _Lending) -> AbstractSet[tuple[TenantId, str]]:
        """Tenant and writer of the chains that checkpoints have retired."""
        return {(tenant, writer) for tenant, writer in await self._read(lambda c: rows(c, "retired_chains"))}

    async def finished_audit_chains(self: _Lending, before: Instant) -> Sequence[tuple[TenantId, str]]:
        """Tenant and writer of the chains of runs that have written nothing since, and write nothing any more."""
        run = self._writer.chain.writer.partition("/")[0]
        found = await self._read(lambda connection: retention.finished_chains(connection, before, run))
        return [(TenantId(chain.tenant), chain.writer) for chain in found]


def _add(connection: apsw.Connection, checkpoint: Checkpoint) -> None:
    try:
        rows(connection, "insert_checkpoint", checkpoints.row_of(checkpoint))
    except apsw.ConstraintError as error:
        raise KeyTaken("audit_checkpoint") from error
    for writer in checkpoint.retired:
        rows(connection, "retire_chains", (checkpoint.tenant, writer, checkpoint.number))

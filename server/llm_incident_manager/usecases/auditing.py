"""Reads a tenant's audit trail: in pages, as a whole to prove it, as lines to prove it elsewhere. Changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from weakref import WeakValueDictionary

from llm_incident_manager.domain import audit_documents, time
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_checkpoint import Checkpoint
from llm_incident_manager.domain.audit_proof import Report, Trail
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.audit import AuditQuery, ChainHead, Signer
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.usecases.caller import Caller

AT_ONCE = 500
"""Records looked at before others have their turn: some milliseconds."""


class Auditing:
    """What an auditor asks."""

    def __init__(self, store: Store, clock: Clock, signer: Signer | None) -> None:
        """`signer` knows the keys of the checkpoints."""
        self._store = store
        self._clock = clock
        self._signer = signer
        self._one: WeakValueDictionary[TenantId, asyncio.Lock] = WeakValueDictionary()

    async def page(self, query: AuditQuery) -> Sequence[AuditRow]:
        """One page of records, newest first."""
        return await self._store.audit_page(query)

    async def checkpoints(self, caller: Caller, before: int, limit: int) -> Sequence[Checkpoint]:
        """Checkpoints below a number (0: all), newest first."""
        return await self._store.latest_audit_checkpoints(caller.tenant, before, limit)

    async def verify(self, caller: Caller) -> Report:
        """Looks through the whole trail; of a tenant one after the other, so that many at once take no more than one
        does, and no tenant waits for another."""
        async with self._one.setdefault(caller.tenant, asyncio.Lock()):
            trail = Trail(caller.tenant, self._signed)
            trail.take([checkpoint async for page in self._all_checkpoints(caller) for checkpoint in page])
            for head in await self._store.audit_heads(caller.tenant):
                async for rows in self._chain(head):
                    trail.look(rows)
                if trail.report.fault is not None:
                    break
            return trail.finish()

    async def export(self, caller: Caller, since: Instant | None) -> AsyncIterator[bytes]:
        """Lines: a heading, all checkpoints, the records of one chain after the other, and how many that were. With
        `since` only chains that have grown from then on, each whole."""
        yield audit_documents.line(self._heading(caller, since))
        checkpoints = records = 0
        async for page in self._all_checkpoints(caller):
            checkpoints += len(page)
            told = ({"checkpoint": audit_documents.of_checkpoint(checkpoint)} for checkpoint in page)
            yield b"".join(map(audit_documents.line, told))
        for head in await self._store.audit_heads(caller.tenant):
            if since is None or head.at >= since:
                async for rows in self._chain(head):
                    records += len(rows)
                    yield b"".join(audit_documents.line({"record": audit_documents.of_record(row)}) for row in rows)
        yield audit_documents.line({"end": {"records": records, "checkpoints": checkpoints}})

    def _heading(self, caller: Caller, since: Instant | None) -> dict[str, Any]:
        return {
            "format": audit_documents.FORMAT,
            "version": audit_documents.VERSION,
            "tenant": caller.tenant,
            "exported_at": time.rfc3339(self._clock.now()),
            "since": None if since is None else time.rfc3339(since),
            "public_key": None if self._signer is None else self._signer.public_key,
        }

    def _signed(self, checkpoint: Checkpoint) -> bool | None:
        return None if self._signer is None else self._signer.signed(checkpoint)

    async def _all_checkpoints(self, caller: Caller) -> AsyncIterator[Sequence[Checkpoint]]:
        """Read before the records, which therefore reach as far."""
        number = 0
        while page := await self._store.audit_checkpoints(caller.tenant, number, AT_ONCE):
            yield page
            number = page[-1].number

    async def _chain(self, head: ChainHead) -> AsyncIterator[Sequence[AuditRow]]:
        sequence = 0
        while rows := await self._store.audit_rows(head.tenant, head.writer, sequence, AT_ONCE):
            yield rows
            sequence = rows[-1].sequence

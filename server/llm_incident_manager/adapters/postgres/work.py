"""The part of the store that leases work after the commit. What a transaction does to it is in transaction.py."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from llm_incident_manager.adapters.postgres.pool import Rows
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.postgres.transaction import PostgresTransaction
from llm_incident_manager.adapters.sql import records
from llm_incident_manager.domain.ids import is_uuid
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import OutboxRow

_WHENEVER = 2**63 - 1


class Work(ABC):
    """Implements ports.work.WorkStore with what the rest of the store lends."""

    _begin: str

    async def claim_work(
        self,
        topic: str,
        owner: str,
        now: Instant,
        lease_until: Instant,
        limit: int,
        made_before: Instant | None = None,
    ) -> Sequence[OutboxRow]:
        """Leases due outbox rows of a topic: of each lane only the oldest unfinished one, in order of ids."""
        made = _WHENEVER if made_before is None else made_before
        return await self._claim("claim_work", topic, owner, now, lease_until, limit, made)

    async def claim_rows(
        self, topic: str, owner: str, now: Instant, lease_until: Instant, ids: Sequence[str]
    ) -> Sequence[OutboxRow]:
        """The same of these rows only."""
        known = [id_ for id_ in ids if is_uuid(id_)]
        return await self._claim("claim_rows", topic, owner, now, lease_until, known) if known else []

    async def backlog(self, topic: str) -> tuple[int, Instant | None]:
        """How many live rows a topic has and when the oldest was created."""
        ((count, oldest),) = await self._fetch("backlog", topic)
        return count, oldest

    async def _claim(self, name: str, *values: object) -> Sequence[OutboxRow]:
        async with self._unit(f"{self._begin}; {SQL['in_order']}") as unit:
            rows = await unit.fetch(SQL[name], *values)
        return [records.outbox_of(row, str) for row in rows]

    @abstractmethod
    def _unit(self, begin: str) -> AbstractAsyncContextManager[PostgresTransaction]:
        """A unit of work that begins with this statement."""

    @abstractmethod
    async def _fetch(self, name: str, *values: object) -> Rows:
        """What a statement answers."""

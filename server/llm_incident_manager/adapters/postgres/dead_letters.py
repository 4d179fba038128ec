"""What the store is asked about work that was given up. Reads only; a unit of work locks, and removes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from llm_incident_manager.adapters.postgres.pool import Rows
from llm_incident_manager.adapters.postgres.statements import BEFORE_ALL, SQL
from llm_incident_manager.adapters.sql import records
from llm_incident_manager.domain.ids import TenantId, is_uuid
from llm_incident_manager.ports.changes import OutboxRow
from llm_incident_manager.ports.dead_letters import DeadQuery


class DeadLetterReads(ABC):
    """Implements ports.dead_letters.DeadLetters for the store."""

    async def dead_letters(self, query: DeadQuery) -> Sequence[OutboxRow]:
        """One page of dead letters, oldest first."""
        after = query.after or BEFORE_ALL
        rows = await self._read(SQL["dead_letters"], query.tenant, after, query.topic, query.incident, query.limit)
        return [records.outbox_of(row, str) for row in rows]

    async def dead_letters_by_id(self, tenant: TenantId, ids: Sequence[str]) -> Sequence[OutboxRow]:
        """Those dead letters that exist, in id order."""
        rows = await self._read(SQL["dead_by_id"], tenant, [id_ for id_ in ids if is_uuid(id_)])
        return [records.outbox_of(row, str) for row in rows]

    async def count_dead(self, query: DeadQuery) -> int:
        """How many dead letters there are, regardless of page."""
        rows = await self._read(SQL["count_dead"], query.tenant, query.topic, query.incident)
        return int(rows[0][0])

    async def dead_by_topic(self) -> Mapping[str, int]:
        """How many dead letters of all tenants there are of each topic."""
        return dict(map(tuple, await self._read(SQL["dead_by_topic"])))

    @abstractmethod
    async def _read(self, statement: str, *values: object) -> Rows:
        """What a statement answers."""

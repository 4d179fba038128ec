"""Work of the outbox that was given up: kept apart with its reason until somebody replays or drops it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.ports.changes import OutboxRow


@dataclass(frozen=True, slots=True)
class DeadQuery:
    """Dead letters of a tenant, oldest first, behind the id `after`. An empty topic or incident means any."""

    tenant: TenantId
    topic: str = ""
    incident: IncidentId | None = None
    after: str = ""
    limit: int = 100


class DeadLetters(Protocol):
    """What a store is asked about dead letters. Of a row `due_at` is when it was given up, `last_error` why."""

    async def dead_letters(self, query: DeadQuery) -> Sequence[OutboxRow]:
        """One page."""
        ...

    async def dead_letters_by_id(self, tenant: TenantId, ids: Sequence[str]) -> Sequence[OutboxRow]:
        """Those of these ids that exist, in id order."""
        ...

    async def count_dead(self, query: DeadQuery) -> int:
        """How many there are, regardless of `after` and `limit`."""
        ...

    async def dead_by_topic(self) -> Mapping[str, int]:
        """How many dead letters of all tenants there are of each topic that has some."""
        ...


class LockDead(Protocol):
    """What a unit of work is asked about them."""

    async def lock_dead(self, tenant: TenantId, ids: Sequence[str]) -> Sequence[OutboxRow]:
        """Reads and locks dead letters by id, in id order; those that are gone are left out."""
        ...

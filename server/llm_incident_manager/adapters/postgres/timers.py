"""The part of the store that is about timers. What a transaction does to them is in transaction.py and writes.py."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from llm_incident_manager.adapters.postgres.pool import Rows
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.postgres.transaction import PostgresTransaction
from llm_incident_manager.adapters.sql import records
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timers import KINDS
from llm_incident_manager.ports.timers import Overdue, TimerRow


class Timed(ABC):
    """Implements ports.timers.TimerStore with what the rest of the store lends."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[PostgresTransaction]:
        """Opens a unit of work."""

    async def claim_timers(self, owner: str, now: Instant, lease_until: Instant, limit: int) -> Sequence[TimerRow]:
        """Leases timers that are due, the longest due first."""
        async with self.transaction() as unit:
            rows = await unit.fetch(SQL["claim_timers"], owner, now, lease_until, limit, KINDS)
        return [records.timer_of(row, str) for row in rows]

    async def next_timer(self, now: Instant) -> Instant | None:
        """When the first timer is due that is not due yet."""
        ((due,),) = await self._fetch("next_timer", now)
        return None if due is None else Instant(due)

    async def time(self) -> Instant:
        """The database's clock."""
        ((now,),) = await self._fetch("time")
        return Instant(now)

    async def overdue_timers(self, now: Instant) -> Overdue:
        """The timers that are due and not done, leased or not."""
        ((count, since),) = await self._fetch("overdue_timers", now)
        return Overdue(count, since)

    @abstractmethod
    async def _fetch(self, name: str, *values: object) -> Rows:
        """What a statement answers."""

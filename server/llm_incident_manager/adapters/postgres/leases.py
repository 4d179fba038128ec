"""The part of the store that is about leases and the processes that have them. `holds` is in transaction.py."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.postgres.transaction import PostgresTransaction
from llm_incident_manager.adapters.sql import leases
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.leases import Lease
from llm_incident_manager.ports.processes import Beat, Process, Seen


class Leased(ABC):
    """Implements ports.leases.LeaseStore and ports.processes.ProcessStore with what the rest of the store lends."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[PostgresTransaction]:
        """Opens a unit of work."""

    async def take_lease(self, name: str, owner: str, now: Instant, until: Instant) -> Lease | None:
        """Takes a lease that nobody has, or that has run out by `now`; None while somebody has it."""
        async with self.transaction() as unit:
            found = await unit.fetch(SQL["take_lease"], name, owner, now, until)
        return leases.taken(found, name, owner, until)

    async def renew_lease(self, lease: Lease, until: Instant) -> Lease | None:
        """The lease with its new end; None when somebody else has taken it."""
        async with self.transaction() as unit:
            found = await unit.fetch(SQL["renew_lease"], lease.name, lease.fence, until)
        return leases.taken(found, lease.name, lease.owner, until)

    async def release_lease(self, lease: Lease) -> None:
        """Lets others take it at once, if it is still ours."""
        async with self.transaction() as unit:
            await unit.execute(SQL["release_lease"], lease.name, lease.fence)

    async def beat(self, process: Process) -> Beat:
        """Says that the process is alive."""
        async with self.transaction() as unit:
            ((at, known),) = await unit.fetch(SQL["beat"], *leases.process_row(process))
        return Beat(Instant(at), known)

    async def processes(self) -> Sequence[Seen]:
        """All that are known, the oldest first."""
        async with self.transaction() as unit:
            return [leases.seen_of(tuple(row)) for row in await unit.fetch(SQL["processes"])]

    async def bury(self, silent_for: int) -> Sequence[str]:
        """Takes the leases away from processes silent for so many microseconds; returns their owners."""
        async with self.transaction() as unit:
            silent = [owner for (owner,) in await unit.fetch(SQL["silent_processes"], silent_for)]
            if silent:
                await _take_away(unit, silent)
        return silent

    async def leave(self, owner: str) -> None:
        """Forgets a process that ends, and takes its leases away."""
        async with self.transaction() as unit:
            await _take_away(unit, [owner])


async def _take_away(unit: PostgresTransaction, owners: Sequence[str]) -> None:
    for name in ("free_work", "free_timers", "free_leases", "forget_processes"):
        await unit.execute(SQL[name], owners)

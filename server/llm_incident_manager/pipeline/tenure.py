"""Work that one process at a time does: whoever has the lease. When that is lost the work stops, and somebody else's
begins."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.leases import Lease
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import logs

ROUNDS = 3
"""Attempts to take or renew a lease in the time for which it holds."""


class Worker(Protocol):
    """Something that works on its own until it is cancelled."""

    async def run(self) -> None:
        """Does so."""
        ...


class Tenure:
    """Workers that run while this process has a lease. What only the holder may write asks `holds` in its own
    transaction: these workers may go on for a moment after the lease was lost."""

    def __init__(
        self, store: Store, clock: Clock, name: str, owner: str, seconds: float, workers: Mapping[str, Worker]
    ) -> None:
        """`name` is the lease's, which holds for `seconds`; `owner` names this start of the process."""
        self._store = store
        self._clock = clock
        self._name = name
        self._owner = owner
        self._seconds = seconds
        self._workers = workers
        self._log = logs.get("leases")

    async def run(self) -> None:
        """Works whenever it can get the lease, until cancelled. Raises what a worker dies of."""
        while True:
            lease = await self._take()
            if lease is not None:
                await self._work(lease)
            await self._clock.sleep(self._seconds / ROUNDS)

    async def _take(self) -> Lease | None:
        now = self._clock.now()
        try:
            return await self._store.take_lease(self._name, self._owner, now, self._end(now))
        except DomainError as error:
            self._log.warning("lease.unknown", lease=self._name, error=error.message)
            return None

    async def _work(self, lease: Lease) -> None:
        self._log.info("lease.taken", lease=lease.name, fence=lease.fence)
        tasks = [asyncio.create_task(worker.run(), name=name) for name, worker in self._workers.items()]
        try:
            await self._keep(lease, tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._release(lease)
        self._log.warning("lease.lost", lease=lease.name, fence=lease.fence)

    async def _keep(self, lease: Lease, tasks: Iterable[asyncio.Task[None]]) -> None:
        """Renews the lease until it is lost, or a worker has died."""
        while True:
            died, _ = await asyncio.wait(tasks, timeout=self._seconds / ROUNDS, return_when=asyncio.FIRST_COMPLETED)
            for task in died:
                await task
            now = self._clock.now()
            try:
                renewed = await self._store.renew_lease(lease, self._end(now))
            except DomainError as error:  # it may hold for a while yet
                self._log.warning("lease.unknown", lease=self._name, error=error.message)
                renewed = lease if self._clock.now() < lease.until else None
            if renewed is None:
                return
            lease = renewed

    async def _release(self, lease: Lease) -> None:
        try:
            await self._store.release_lease(lease)
        except DomainError as error:
            self._log.warning("lease.unknown", lease=self._name, error=error.message)

    def _end(self, now: Instant) -> Instant:
        return Instant(now + int(self._seconds * SECOND))

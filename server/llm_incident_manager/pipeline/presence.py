"""Says from time to time that this process is alive, and ends the leases of those that have stopped saying so."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.roles import Role
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.pipeline import assembly
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.processes import Process, Seen
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics

BEATS = 3
"""Signs of life in the time after which a process is taken for dead."""


@dataclass(frozen=True, slots=True)
class _Said:
    """When we last said that we are alive and the database heard it, by a clock that never steps back and by one that
    goes on while the machine sleeps."""

    running: float
    wall: Instant


class Presence:
    """This process among the others of its deployment."""

    def __init__(self, store: Store, clock: Clock, process: Process, lease_seconds: float, metrics: Metrics) -> None:
        """Who is silent for `lease_seconds` is taken for dead."""
        self._store = store
        self._clock = clock
        self._process = process
        self._lease = lease_seconds
        self._metrics = metrics
        self._said: _Said | None = None
        self._lives = 0
        self._log = logs.get("processes")

    def life(self) -> int | None:
        """The number of this life; None when somebody may have taken this process for dead. It may have stood still
        since it last looked; once the database has heard of it again, that is another life."""
        if self._said is None:
            return None
        running = asyncio.get_running_loop().time() - self._said.running
        silent_for = max(running, (self._clock.now() - self._said.wall) / SECOND)
        return self._lives if silent_for < self._lease else None

    async def run(self) -> None:
        """Beats until cancelled."""
        while True:
            try:
                await self.once()
            except DomainError as error:
                self._metrics.store_failed()
                self._log.warning("process.unheard", error=error.message)
            await self._clock.sleep(self._lease / BEATS)

    async def once(self) -> None:
        """Says that we are alive; then looks after the others, unless nobody could be heard for a while: they must have
        the time to speak first."""
        steady, first = self.life() is not None, self._said is None
        said = _Said(asyncio.get_running_loop().time(), self._clock.now())
        beat = await self._store.beat(self._process)
        self._said = said
        if not (steady and beat.known):
            self._lives += 1
        if not beat.known and not first:
            self._log.warning("process.taken_for_dead", meaning="it stood still; others may have taken its work")
        if steady:
            for owner in await self._store.bury(int(self._lease * SECOND)):
                self._log.warning("process.lost", owner=owner, silent_for=f"{self._lease:g} s or more")

    async def leave(self) -> None:
        """Says good-bye, so that nobody has to wait for what this process has leased."""
        try:
            await self._store.leave(self._process.owner)
        except DomainError as error:
            self._log.warning("process.unheard", error=error.message)

    async def attended(self) -> None:
        """Raises DomainError while there is work that no living process does."""
        if missing := unattended(await self._store.processes(), self._lease):
            message = (
                f"no living process has {', '.join(missing)}: that work waits; start one with --roles {missing[0]}"
            )
            raise DomainError(ErrorReason.STORE_UNAVAILABLE, message)

    async def count_roles(self) -> None:
        """Sets how many living processes have each role."""
        alive = living(await self._store.processes(), self._lease)
        for role in Role:
            self._metrics.role_attended(role, sum(1 for process in alive if role in process.roles))


def living(seen: Iterable[Seen], lease_seconds: float) -> list[Process]:
    """The processes that were heard of in time."""
    return [each.process for each in seen if each.silent_for < lease_seconds * SECOND]


def unattended(seen: Iterable[Seen], lease_seconds: float) -> list[Role]:
    """The roles that have work in this release and that no living process has."""
    attended = {role for process in living(seen, lease_seconds) for role in process.roles}
    return [role for role, steps in assembly.STEPS.items() if steps and role not in attended]

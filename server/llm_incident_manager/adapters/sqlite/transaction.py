"""One unit of work on the writer: it has the whole database to itself, so that whatever it has read is locked."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import apsw

from llm_incident_manager.adapters.sqlite import analyses, leases, outbox, reads, relations, timers, writes
from llm_incident_manager.adapters.sqlite.access import AccessHeld
from llm_incident_manager.adapters.sqlite.agents import AgentsHeld
from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.adapters.sqlite.writer import Writer
from llm_incident_manager.domain.analysis import Analysis
from llm_incident_manager.domain.errors import NotFound, StoreUnavailable
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import (
    AnswerRow,
    Changes,
    Claimed,
    Claims,
    EventRow,
    FingerprintKey,
    OutboxRow,
    ProducerKey,
    ProducerRow,
)
from llm_incident_manager.ports.leases import Lease
from llm_incident_manager.ports.stores import StoredEvent
from llm_incident_manager.ports.timers import HeldTimers, TimerRow

T = TypeVar("T")


class SqliteTransaction(AccessHeld, AgentsHeld):
    """Implements ports.stores.Transaction. Opens the database's own transaction together with its first statement."""

    def __init__(self, writer: Writer) -> None:
        """`writer` has given this unit its turn."""
        self._writer = writer
        self._begun = False
        self._failed = False

    async def claim(self, claims: Claims) -> Claimed:
        """Reads what an ingest batch needs."""
        return await self._run(lambda connection: reads.claim(connection, claims))

    async def incarnation(self) -> str:
        """The same for as long as this process has the database."""
        return reads.INCARNATION

    async def stored_events(self, key: ProducerKey, first_sequence: int, count: int) -> Sequence[EventRow | None]:
        """The rows of a producer's events by sequence number; None where it had no accepted event."""
        return await self._run(lambda connection: reads.stored_events(connection, key, first_sequence, count))

    async def incident(self, tenant: TenantId, ref: str) -> Incident:
        """Reads an incident by id or number. Raises NotFound."""
        return await self._run(lambda connection: reads.incident(connection, tenant, ref))

    async def incidents(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        """Reads incidents by id, in id order; missing ones are left out."""
        return await self._run(lambda connection: reads.incidents(connection, tenant, ids))

    async def peek(self, tenant: TenantId, ref: str) -> Incident:
        """Reads an incident by id or number. Raises NotFound."""
        return await self.incident(tenant, ref)

    async def peek_each(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        """Reads incidents by id, in id order; missing ones are left out."""
        return await self.incidents(tenant, ids)

    async def events(self, tenant: TenantId, ids: Sequence[EventId]) -> Sequence[StoredEvent]:
        """Stored events by id, in id order; missing ones are left out."""
        return await self._run(lambda connection: relations.events(connection, tenant, ids))

    async def key_counts(self, keys: Sequence[FingerprintKey]) -> Mapping[FingerprintKey, int | None]:
        """How many events held fingerprints had; those that nobody holds are left out."""
        return await self._run(lambda connection: relations.key_counts(connection, keys))

    async def related(
        self, tenant: TenantId, incident: IncidentId, after: tuple[int, str], limit: int
    ) -> Sequence[Related]:
        """The incidents that one has to do with, by relation and id, behind such a pair."""
        return await self._run(lambda connection: relations.related(connection, tenant, incident, after, limit))

    async def attachments(self, tenant: TenantId, incident: IncidentId, after: str, limit: int) -> Sequence[Attachment]:
        """Attachments with an id larger than `after`, oldest first."""
        return await self._run(lambda connection: relations.attachments(connection, tenant, incident, after, limit))

    async def analyses(self, tenant: TenantId, incident: IncidentId, after: str, limit: int) -> Sequence[Analysis]:
        """What was asked about an incident, of ids larger than `after`, oldest first."""
        return await self._run(lambda connection: analyses.analyses(connection, tenant, incident, after, limit))

    async def holder(self, key: FingerprintKey) -> IncidentId | None:
        """The open incident that holds the fingerprint."""
        return await self._run(lambda connection: reads.holder(connection, key))

    async def answer(self, tenant: TenantId, request_id: str) -> AnswerRow | None:
        """The stored answer to a request id."""
        return await self._run(lambda connection: reads.answer(connection, tenant, request_id))

    async def open_producer(self, key: ProducerKey, now: Instant) -> ProducerRow:
        """Starts a new epoch of a producer and returns it with how far the producer has come."""
        ((epoch, last_sequence),) = await self._run(
            lambda connection: rows(connection, "open_producer", {**key._asdict(), "now": now})
        )
        return ProducerRow(key, epoch, last_sequence)

    async def still_leased(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Those of claimed rows that nobody has finished or claimed since."""
        return await self._run(lambda connection: outbox.still_leased(connection, rows))

    async def lock_dead(self, tenant: TenantId, ids: Sequence[str]) -> Sequence[OutboxRow]:
        """Reads dead letters by id, in id order; those that are gone are left out."""
        return await self._run(lambda connection: outbox.dead_by_id(connection, tenant, ids))

    async def hold_timers(self, rows: Sequence[TimerRow]) -> HeldTimers:
        """Those of claimed timers that nobody has ended, set or claimed since, and the incidents of all of them."""
        return await self._run(lambda connection: timers.hold(connection, rows))

    async def holds(self, lease: Lease) -> bool:
        """Whether nobody has taken the lease since."""
        return await self._run(lambda connection: leases.holds(connection, lease))

    async def write(self, changes: Changes) -> None:
        """Writes everything. Raises KeyTaken when something was taken, or is gone, since it was read."""
        await self._run(lambda connection: writes.write(connection, changes, self._writer.chain))

    async def commit(self) -> None:
        """Makes it durable. Raises StoreUnavailable when nothing was written, StoreBroken when nobody knows."""
        if self._failed:
            await self._writer.abandon()
        self._check()
        if self._begun:
            await self._writer.finish()

    async def rollback(self) -> None:
        """Undoes everything."""
        if self._begun:
            await self._writer.abandon()

    async def _run(self, function: Callable[[apsw.Connection], T]) -> T:
        self._check()
        first, self._begun = not self._begun, True
        try:
            return await self._writer.run(lambda: self._on_thread(function, first))
        except NotFound:
            raise
        except BaseException:
            self._failed = True
            raise

    def _check(self) -> None:
        # Some errors have undone the whole transaction already: a further statement would commit by itself.
        if self._failed:
            raise StoreUnavailable("a statement before had failed")

    def _on_thread(self, function: Callable[[apsw.Connection], T], first: bool) -> T:
        if first:
            self._writer.begin()
        return function(self._writer.connection)

"""One unit of work on one connection: locks in one order for everybody, reads, writes. Commits only when told to."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

import asyncpg

from llm_incident_manager.adapters.postgres import chains, failures, pool, writes
from llm_incident_manager.adapters.postgres.access import AccessHeld
from llm_incident_manager.adapters.postgres.agents import AgentsHeld
from llm_incident_manager.adapters.postgres.analyses import Analysed
from llm_incident_manager.adapters.postgres.memory import Memory, written_by
from llm_incident_manager.adapters.postgres.statements import BEFORE_ALL, SQL
from llm_incident_manager.adapters.sql import belongings, records
from llm_incident_manager.domain.errors import NotFound, StoreUnavailable
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId, is_uuid
from llm_incident_manager.domain.incident import FingerprintName, Holder, Incident
from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import (
    AnswerRow,
    Changes,
    Claimed,
    Claims,
    EventRow,
    FingerprintKey,
    IdempotencyRow,
    OutboxRow,
    ProducerKey,
    ProducerRow,
)
from llm_incident_manager.ports.leases import Lease
from llm_incident_manager.ports.stores import StoredEvent
from llm_incident_manager.ports.timers import HeldTimers, TimerRow

_Held = tuple[FingerprintName, str]


class PostgresTransaction(AccessHeld, AgentsHeld, Analysed):
    """Implements ports.stores.Transaction."""

    def __init__(self, connection: pool.Connection, chain: chains.Lease, memory: Memory) -> None:
        """`chain` lends an audit chain when there is something to audit; `memory` keeps what was committed."""
        self._connection = connection
        self._chain = chain
        self._memory = memory
        self._written: list[Changes] = []
        self._lost = False

    async def claim(self, claims: Claims) -> Claimed:
        """Locks and reads what an ingest batch needs. Raises KeyTaken when others hold it for too long."""
        producers = await self._producers(claims.producers)
        idempotency, incarnation = await self._idempotency(claims.idempotency)
        held, counted = await self._keys("claim_keys", claims.fingerprints)
        found = await self._holders({id_: key.tenant for key, id_ in held.items()})
        holders = {key: found[id_] for key, id_ in held.items() if id_ in found}
        free = tuple(key for key in claims.fingerprints if key not in holders)
        previous, _ = await self._keys("released_keys", free)
        return Claimed(producers, idempotency, holders, previous, counted, incarnation)

    async def incarnation(self) -> str:
        """Another one after each start of the server, and after the table of keys was made anew."""
        return str((await self._fetch("incarnation"))[0][0])

    async def stored_events(self, key: ProducerKey, first_sequence: int, count: int) -> Sequence[EventRow | None]:
        """The rows of a producer's events by sequence number; None where it had no accepted event."""
        last = first_sequence + count - 1
        ids: list[EventId | None] = [None] * count
        for first, length, first_id in await self._fetch("segments", *key, first_sequence, last):
            for sequence in range(max(first, first_sequence), min(first + length - 1, last) + 1):
                ids[sequence - first_sequence] = _follow(first_id, sequence - first)
        rows = await self._fetch("events_by_id", key.tenant, [id_ for id_ in ids if id_ is not None])
        found = {row.id: row for row in (records.event_of(row, str) for row in rows)}
        return [None if id_ is None else found.get(id_) for id_ in ids]

    async def incident(self, tenant: TenantId, ref: str) -> Incident:
        """Reads and locks an incident by id or number. Raises NotFound."""
        id_ = ref
        if not is_uuid(ref):
            rows = await self._fetch("id_of_number", tenant, ref)
            id_ = str(rows[0][0]) if rows else ""
        found = await self.incidents(tenant, [IncidentId(id_)])
        if not found:
            raise NotFound("incident", ref)
        return found[0]

    async def peek(self, tenant: TenantId, ref: str) -> Incident:
        """Reads an incident by id or number without locking it. Raises NotFound."""
        rows = await self._fetch("incident_by_id" if is_uuid(ref) else "incident_by_number", tenant, ref)
        if not rows:
            raise NotFound("incident", ref)
        return records.incident_of(rows[0], str)

    async def peek_each(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        """Reads incidents by id without locking them, in id order; missing ones are left out."""
        rows = await self._fetch("incidents_by_id", tenant, [id_ for id_ in ids if is_uuid(id_)])
        return [records.incident_of(row, str) for row in rows]

    async def events(self, tenant: TenantId, ids: Sequence[EventId]) -> Sequence[StoredEvent]:
        """Stored events by id, in id order; missing ones are left out."""
        rows = await self._fetch("whole_events", tenant, [id_ for id_ in ids if is_uuid(id_)])
        return [StoredEvent(records.event_of(tuple(row)[:-2], str), *tuple(row)[-2:]) for row in rows]

    async def key_counts(self, keys: Sequence[FingerprintKey]) -> Mapping[FingerprintKey, int | None]:
        """How many events held fingerprints had; those that nobody holds are left out."""
        rows = await self._fetch("key_counts", *zip(*keys, strict=True)) if keys else []
        return {FingerprintKey(*tuple(row)[:3]): row[3] for row in rows}

    async def related(
        self, tenant: TenantId, incident: IncidentId, after: tuple[int, str], limit: int
    ) -> Sequence[Related]:
        """The incidents that one has to do with, by relation and id, behind such a pair."""
        rows = await self._fetch("related", tenant, incident, after[0], after[1] or BEFORE_ALL, limit)
        return [belongings.related_of(row, str) for row in rows]

    async def attachments(self, tenant: TenantId, incident: IncidentId, after: str, limit: int) -> Sequence[Attachment]:
        """Attachments with an id larger than `after`, oldest first."""
        rows = await self._fetch("attachments", tenant, incident, after or BEFORE_ALL, limit)
        return [belongings.attachment_of(row, str) for row in rows]

    async def holder(self, key: FingerprintKey) -> IncidentId | None:
        """The open incident that holds the fingerprint."""
        rows = await self._fetch("holder", *key)
        return IncidentId(str(rows[0][0])) if rows else None

    async def answer(self, tenant: TenantId, request_id: str) -> AnswerRow | None:
        """The stored answer to a request id. Concurrent transactions with the same id wait for each other."""
        await self._fetch("lock_request", tenant, request_id)
        rows = await self._fetch("answer", tenant, request_id)
        return AnswerRow(*rows[0]) if rows else None

    async def open_producer(self, key: ProducerKey, now: Instant) -> ProducerRow:
        """Starts a new epoch of a producer and returns it with how far the producer has come."""
        rows = await self._fetch("open_producer", *key, now)
        return ProducerRow(key, *rows[0])

    async def incidents(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        """Reads and locks incidents by id, in id order; missing ones are left out."""
        known = [id_ for id_ in dict.fromkeys(ids) if is_uuid(id_)]
        if not known:
            return []
        locked = await self._held("claim_held", tenant, await self._names(tenant, known))
        found = await self._locked(dict.fromkeys(known, tenant))
        holding = [(name, incident.id) for incident in found.values() if incident.is_open for name in incident.held]
        if not locked.issuperset(holding):
            # Reopened or merged between the two statements. Waiting for its keys now could deadlock with ingest.
            await self._held("claim_held_at_once", tenant, holding)
        return list(found.values())

    async def still_leased(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Those of claimed rows that nobody has finished or claimed since; they are locked until the end."""
        leases = [row.id for row in rows], [row.fence for row in rows]
        held = {str(id_) for (id_,) in await self._fetch("still_leased", *leases)}
        return [row for row in rows if row.id in held]

    async def lock_dead(self, tenant: TenantId, ids: Sequence[str]) -> Sequence[OutboxRow]:
        """Reads and locks dead letters by id, in id order; those that are gone are left out."""
        rows = await self._fetch("lock_dead", tenant, [id_ for id_ in ids if is_uuid(id_)])
        return [records.outbox_of(row, str) for row in rows]

    async def hold_timers(self, rows: Sequence[TimerRow]) -> HeldTimers:
        """Locks the incidents of claimed timers, and then those timers that nobody has ended, set or claimed since."""
        incidents = await self._locked({row.incident_id: row.tenant for row in rows})
        leases = [(row.incident_id, row.key, row.fence) for row in rows]
        found = await self._fetch("leased_timers", *zip(*leases, strict=True)) if leases else []
        held = {(str(id_), key, fence) for id_, key, fence in found}
        return HeldTimers([row for row, lease in zip(rows, leases, strict=True) if lease in held], incidents)

    async def holds(self, lease: Lease) -> bool:
        """Whether nobody has taken the lease since; nobody can until the end of this unit of work."""
        return bool(await self._fetch("holds_lease", lease.name, lease.fence))

    async def write(self, changes: Changes) -> None:
        """Writes everything. Raises KeyTaken when a fingerprint or idempotency key was taken meanwhile."""
        with self._asking():
            audited = self._chain.borrow().extend(changes.audit) if changes.audit else ()
            await writes.run(self._connection, changes, audited)
        self._written.append(changes)

    async def fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """What a statement answers."""
        with self._asking():
            return await self._connection.fetch(statement, *values)

    async def execute(self, statement: str, *values: object) -> int:
        """Runs a statement; how many rows it changed."""
        with self._asking():
            status = await self._connection.execute(statement, *values)
        return int(status.rpartition(" ")[2])

    async def begin(self, statement: str) -> None:
        """Opens the database's own transaction."""
        with self._asking():
            await self._connection.execute(statement)

    async def commit(self) -> None:
        """Makes it durable. When that fails or is cut short, nobody knows whether it is; the connection is given up."""
        try:
            with self._asking():
                status = await self._connection.execute("COMMIT")
        except BaseException:
            self._chain.abandon()
            pool.cut(self._connection)
            raise
        if status != "COMMIT":
            self._chain.rollback()
            raise StoreUnavailable("a statement before had failed")
        self._chain.commit()
        self._memory.note(written_by(self._written))

    async def rollback(self) -> None:
        """Undoes everything; a connection that cannot even do that is given up, which undoes it as well."""
        self._chain.rollback()
        if self._lost:
            return
        try:
            await self._connection.execute("ROLLBACK")
        except failures.BROKEN:
            pool.cut(self._connection)
        except BaseException:
            pool.cut(self._connection)
            raise

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            with failures.translated():
                yield
        except StoreUnavailable:
            self._lost = True
            pool.cut(self._connection)
            raise

    async def _producers(self, keys: Sequence[ProducerKey]) -> dict[ProducerKey, ProducerRow]:
        if not keys:
            return {}
        rows = await self._fetch("claim_producers", *zip(*keys, strict=True))
        found = (ProducerRow(ProducerKey(*row[:3]), row[3], row[4]) for row in map(tuple, rows))
        return {row.key: row for row in found}

    async def _idempotency(
        self, keys: Sequence[tuple[TenantId, str]]
    ) -> tuple[dict[tuple[TenantId, str], IdempotencyRow], str]:
        if not keys:
            return {}, ""
        rows = await self._fetch("claim_idempotency", *zip(*keys, strict=True))
        found = (tuple(row)[1:] for row in rows if row[1] is not None)
        return {(row[0], row[1]): _idempotency_of(*row) for row in found}, rows[0][0]

    async def _keys(
        self, statement: str, keys: Sequence[FingerprintKey]
    ) -> tuple[dict[FingerprintKey, IncidentId], set[FingerprintKey]]:
        """The incidents of fingerprints, and those whose events are counted one by one."""
        if not keys:
            return {}, set()
        rows = await self._fetch(statement, *zip(*keys, strict=True))
        found = {
            FingerprintKey(tenant, version, value): IncidentId(str(id_)) for tenant, version, value, id_, _ in rows
        }
        return found, {FingerprintKey(*tuple(row)[:3]) for row in rows if row[4]}

    async def _names(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[_Held]:
        rows = await self._fetch("held_names", tenant, ids)
        return [(name, str(id_)) for id_, *names in rows for name in records.names_of(*names)]

    async def _held(self, statement: str, tenant: TenantId, wanted: Sequence[_Held]) -> set[_Held]:
        if not wanted:
            return set()
        each = [(tenant, *name, id_) for name, id_ in wanted]
        rows = await self._fetch(statement, *zip(*each, strict=True))
        return {(FingerprintName(version, value), str(id_)) for version, value, id_ in rows}

    async def _locked(self, ids: dict[IncidentId, TenantId]) -> dict[IncidentId, Incident]:
        if not ids:
            return {}
        rows = await self._fetch("claim_incidents", list(ids), list(ids.values()))
        found = (records.incident_of(row, str) for row in rows)
        return {incident.id: incident for incident in found}

    async def _holders(self, ids: dict[IncidentId, TenantId]) -> dict[IncidentId, Holder]:
        if not ids:
            return {}
        rows = await self._fetch("claim_holders", list(ids), list(ids.values()))
        found = (records.holder_of(str(id_), *facts) for id_, *facts in rows)
        return {holder.id: holder for holder in found}

    async def _fetch(self, name: str, *values: object) -> list[asyncpg.Record]:
        return await self.fetch(SQL[name], *values)


def _idempotency_of(tenant: TenantId, key: str, event: UUID, incident: UUID | None, at: Instant) -> IdempotencyRow:
    return IdempotencyRow(tenant, key, EventId(str(event)), None if incident is None else IncidentId(str(incident)), at)


def _follow(first: UUID, places: int) -> EventId:
    return EventId(str(UUID(int=first.int + places)))

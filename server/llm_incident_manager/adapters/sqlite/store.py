"""Implements the store port on SQLite: opens files and threads, sends each method to the right one. Decides nothing."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import apsw

from llm_incident_manager.adapters.sql.audit import AuditChain
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.adapters.sqlite import indexing, leases, outbox, reads, relations, retention, schema, timers
from llm_incident_manager.adapters.sqlite.access import AccessLists
from llm_incident_manager.adapters.sqlite.agents import AgentLists
from llm_incident_manager.adapters.sqlite.analyses import Analysed
from llm_incident_manager.adapters.sqlite.analytics import Figured
from llm_incident_manager.adapters.sqlite.audits import Audited
from llm_incident_manager.adapters.sqlite.belongings import OfMany
from llm_incident_manager.adapters.sqlite.faults import Faults
from llm_incident_manager.adapters.sqlite.readers import Reader, Readers
from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.adapters.sqlite.tenant_data import TenantRows, Words
from llm_incident_manager.adapters.sqlite.transaction import SqliteTransaction
from llm_incident_manager.adapters.sqlite.writer import Writer
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.domain.retention import Expired, Expiring
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineEntry, TimelineKind
from llm_incident_manager.ports.changes import DeliveryRow, OutboxRow
from llm_incident_manager.ports.dead_letters import DeadQuery
from llm_incident_manager.ports.executor import Executor
from llm_incident_manager.ports.stores import (
    Count,
    FeedItem,
    IncidentQuery,
    Position,
    StoredEvent,
    Transaction,
)
from llm_incident_manager.ports.timers import Overdue, TimerRow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """How to open a store.

    `database` is a file, None keeps everything in memory. `executor` makes a thread, or an inline executor, from its
    name. A caller waits `deadline` seconds for its turn, and again for each answer.
    """

    database: Path | None
    executor: Callable[[str], Executor]
    readers: int = 2
    deadline: float = 5.0


async def open_store(options: Options, run: str, now: Instant, *, migrate: bool = True) -> "SqliteStore":
    """Opens the database, brings its schema up to date when `migrate` says so, and ends the leases of the last process.

    `run` names this start of the server and is never used twice: the writer of the audit chains carries it.
    Raises StoreRefused when another server has the directory, and when the file is not ours to use as it is.
    """
    name = connections.MEMORY if options.database is None else str(options.database)
    with ExitStack() as undo, connections.explained(name):
        lock = None
        if options.database is not None:
            lock = undo.enter_context(closing(connections.FolderLock(options.database.parent)))
        connection = undo.enter_context(closing(connections.open_writer(name)))
        _prepare(connection, now, migrate=migrate or lock is None)
        opened = [
            undo.enter_context(closing(connections.open_reader(name))) for _ in range(options.readers if lock else 0)
        ]
        for each in opened or [connection]:
            connections.add_vocabulary(each)
        undo.pop_all()
    return _started(connection, opened, lock, options, run)


def _prepare(connection: apsw.Connection, now: Instant, *, migrate: bool) -> None:
    if migrate:
        schema.apply(connection, now, schema.for_start(connection))
    else:
        schema.require(connection)
    outbox.reset(connection)
    timers.reset(connection)
    leases.reset(connection)


def _started(
    connection: apsw.Connection,
    opened: Sequence[apsw.Connection],
    lock: connections.FolderLock | None,
    options: Options,
    run: str,
) -> "SqliteStore":
    faults = Faults()
    writer = Writer(connection, options.executor("sqlite-writer"), faults, AuditChain(f"{run}/1"), options.deadline)
    readers = [Reader(each, options.executor(f"sqlite-reader-{n}")) for n, each in enumerate(opened, 1)]
    return SqliteStore(writer, Readers(readers, faults, options.deadline) if readers else None, lock)


class SqliteStore(AccessLists, AgentLists, Analysed, Figured, leases.Leased, Audited, TenantRows, OfMany):
    """Implements ports.stores.Store. Without readers, as in memory, reads take turns with the units of work."""

    def __init__(self, writer: Writer, readers: Readers | None, lock: connections.FolderLock | None) -> None:
        """Use `open_store`."""
        self._writer = writer
        self._readers = readers
        self._lock = lock
        self._words = Words()
        self._expirer = retention.Expirer(writer.chain.writer.partition("/")[0])
        self._closed = False

    @property
    def kind(self) -> str:
        """The back end's name: "sqlite", or "memory" when nothing outlives the process."""
        return "sqlite" if self._lock else "memory"

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Opens a unit of work; commits when the block ends without an exception. One at a time, in order of asking."""
        return self._transaction()

    async def lease_numbers(self, tenant: TenantId, day: str, size: int) -> int:
        """Takes the next `size` incident numbers of a tenant's UTC day; returns the first, from 1."""
        wanted = {"tenant": tenant, "day": day, "size": size}
        ((first,),) = await self._writer.unit(lambda connection: rows(connection, "lease_numbers", wanted))
        return int(first)

    async def incident(self, tenant: TenantId, ref: str) -> Incident:
        """An incident by id or number. Raises NotFound."""
        return await self._read(partial(reads.incident, tenant=tenant, ref=ref))

    async def incidents(self, query: IncidentQuery) -> Sequence[Incident]:
        """One page of a list."""
        return await self._read(partial(reads.page, query=query))

    async def count_incidents(self, query: IncidentQuery) -> int:
        """How many match, regardless of limit, offset and after."""
        return (await self._read(partial(reads.count, query=query))).total

    async def count_up_to(self, query: IncidentQuery, most: int) -> Count:
        """The same, but where it would take looking at more than `most` of them it is told as "at least"."""
        return await self._read(partial(reads.count, query=query, most=most))

    async def index_incidents(self, limit: int) -> int:
        """Brings what lists ask about up to `limit` changes further along the feed; returns how many it was."""
        return await self._writer.unit(partial(indexing.copy, limit=limit))

    async def index_words(self, limit: int) -> int:
        """Brings what searches ask about up to `limit` changes further along the feed; returns how many it was."""
        return await self._writer.unit(partial(indexing.document, limit=limit))

    async def timeline(
        self, tenant: TenantId, incident: IncidentId, after: str, limit: int, kind: TimelineKind | None = None
    ) -> Sequence[TimelineEntry]:
        """Timeline entries with an id larger than `after`, oldest first; of one kind only when told."""
        return await self._read(lambda connection: reads.timeline(connection, tenant, incident, after, limit, kind))

    async def related(
        self, tenant: TenantId, incident: IncidentId, after: tuple[int, str], limit: int
    ) -> Sequence[Related]:
        """The incidents that one has to do with, by relation and id, behind such a pair."""
        return await self._read(lambda connection: relations.related(connection, tenant, incident, after, limit))

    async def attachments(self, tenant: TenantId, incident: IncidentId, after: str, limit: int) -> Sequence[Attachment]:
        """Attachments with an id larger than `after`, oldest first."""
        return await self._read(lambda connection: relations.attachments(connection, tenant, incident, after, limit))

    async def event(self, tenant: TenantId, event: EventId) -> StoredEvent:
        """A stored event. Raises NotFound."""
        return await self._read(lambda connection: reads.event(connection, tenant, event))

    async def deliveries(self, tenant: TenantId, incident: IncidentId) -> Sequence[DeliveryRow]:
        """What was sent for an incident, oldest first."""
        return await self._read(lambda connection: reads.deliveries(connection, tenant, incident))

    async def feed_position(self) -> Position:
        """The position after the latest change."""
        return await self._read(reads.feed_position)

    async def feed_after(self, tenant: TenantId | None, position: Position, limit: int) -> Sequence[FeedItem]:
        """Changes behind a position in commit order; of all tenants when None."""
        return await self._read(lambda connection: reads.feed_after(connection, tenant, position, limit))

    async def feed_settled(self) -> bool:
        """Always: one transaction follows the other."""
        return True

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
        lease = outbox.Lease(topic, owner, now, lease_until)
        return await self._writer.unit(partial(outbox.claim, lease=lease, limit=limit, made_before=made_before))

    async def claim_rows(
        self, topic: str, owner: str, now: Instant, lease_until: Instant, ids: Sequence[str]
    ) -> Sequence[OutboxRow]:
        """The same of these rows only."""
        lease = outbox.Lease(topic, owner, now, lease_until)
        return await self._writer.unit(partial(outbox.claim_rows, lease=lease, wanted=ids))

    async def backlog(self, topic: str) -> tuple[int, Instant | None]:
        """How many live rows a topic has and when the oldest was created."""
        return await self._read(partial(reads.backlog, topic=topic))

    async def dead_letters(self, query: DeadQuery) -> Sequence[OutboxRow]:
        """One page of dead letters, oldest first."""
        return await self._read(partial(outbox.dead, query=query))

    async def dead_letters_by_id(self, tenant: TenantId, ids: Sequence[str]) -> Sequence[OutboxRow]:
        """Those dead letters that exist, in id order."""
        return await self._read(partial(outbox.dead_by_id, tenant=tenant, wanted=ids))

    async def count_dead(self, query: DeadQuery) -> int:
        """How many dead letters there are, regardless of page."""
        return await self._read(partial(outbox.count_dead, query=query))

    async def dead_by_topic(self) -> Mapping[str, int]:
        """How many dead letters of all tenants there are of each topic."""
        return await self._read(outbox.dead_by_topic)

    async def claim_timers(self, owner: str, now: Instant, lease_until: Instant, limit: int) -> Sequence[TimerRow]:
        """Leases timers that are due, the longest due first."""
        return await self._writer.unit(lambda connection: timers.claim(connection, owner, now, lease_until, limit))

    async def next_timer(self, now: Instant) -> Instant | None:
        """When the first timer is due that is not due yet."""
        return await self._read(partial(timers.following, now=now))

    async def time(self) -> None:
        """The file has no clock."""

    async def overdue_timers(self, now: Instant) -> Overdue:
        """The timers that are due and not done, leased or not."""
        return await self._read(partial(timers.overdue, now=now))

    async def sweep(self, before: Instant, limit: int) -> int:
        """Deletes idempotency keys, answers, segments and released fingerprints older than that; at most so many."""
        return await self._writer.unit(lambda connection: retention.sweep(connection, before, limit))

    async def expire(self, what: Expiring, before: Instant, limit: int, above: int = 0) -> Expired:
        """Looks at `limit` of the oldest records and deletes those older than `before`, while larger than `above`."""
        return await self._writer.unit(lambda connection: self._expirer.expire(connection, what, before, limit, above))

    async def size(self) -> int:
        """How many bytes of the file are in use."""
        return await self._read(retention.size)

    async def make_room(self, now: Instant) -> int:  # noqa: ARG002  # the port's
        """Events need no place prepared."""
        return 0

    async def check(self) -> None:
        """Raises StoreUnavailable unless the writer and a reader answer now."""
        await self._writer.run(lambda: rows(self._writer.connection, "alive"))
        if self._readers is not None:
            await self._readers.run(lambda connection: rows(connection, "alive"))

    async def check_replica(self) -> None:
        """There is none that could fail."""

    async def close(self) -> None:
        """Finishes what runs, moves the log into the file, and lets other servers use the directory."""
        if self._closed:
            return
        self._closed = True
        if self._readers is not None:
            await self._readers.close()
        await self._writer.close()
        if self._lock is not None:
            self._lock.close()

    async def _read(self, function: Callable[[apsw.Connection], T]) -> T:
        return await (self._readers.run(function) if self._readers else self._writer.read(function))

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Transaction]:
        async with self._writer.turn():
            unit = SqliteTransaction(self._writer)
            try:
                yield unit
            except BaseException:
                await unit.rollback()
                raise
            await unit.commit()

"""The record of everything in PostgreSQL: lends units of work, and reads. What is locked when is in transaction.py."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from llm_incident_manager.adapters.postgres import (
    audits,
    chains,
    failures,
    indexing,
    leases,
    opening,
    partitions,
    retention,
    schema,
    starting,
    timers,
    work,
)
from llm_incident_manager.adapters.postgres.access import AccessLists
from llm_incident_manager.adapters.postgres.agents import AgentLists
from llm_incident_manager.adapters.postgres.analytics import Figured
from llm_incident_manager.adapters.postgres.belongings import BelongingReads
from llm_incident_manager.adapters.postgres.dead_letters import DeadLetterReads
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.pool import Ask, Pool, Rows
from llm_incident_manager.adapters.postgres.replica import Replica
from llm_incident_manager.adapters.postgres.statements import BEFORE_ALL, SELECT_INCIDENTS, SQL
from llm_incident_manager.adapters.postgres.tenant_data import TenantRows
from llm_incident_manager.adapters.postgres.transaction import PostgresTransaction
from llm_incident_manager.adapters.sql import belongings, dialect, listing, migrations, records
from llm_incident_manager.domain.errors import NotFound, StoreUnavailable
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId, is_uuid
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.phases import Phase
from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.domain.retention import Expired, Expiring
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import ChangeKind, TimelineEntry, TimelineKind
from llm_incident_manager.ports.changes import DeliveryRow
from llm_incident_manager.ports.stores import (
    Count,
    FeedItem,
    IncidentQuery,
    KeyTaken,
    Position,
    StoredEvent,
)
from llm_incident_manager.ports.upkeep import UpkeepRefused
from llm_incident_manager.telemetry import logs

T = TypeVar("T")

_SWEEPS = ("sweep_idempotency", "sweep_answers", "sweep_segments", "sweep_released")
_LISTS = listing.Lists(dialect.POSTGRES, SELECT_INCIDENTS, SQL["stale_incidents"])
_WIDTH = len(records.INCIDENT_COLUMNS)


class PostgresStore(
    AccessLists,
    AgentLists,
    BelongingReads,
    Figured,
    DeadLetterReads,
    timers.Timed,
    leases.Leased,
    work.Work,
    audits.Audited,
    TenantRows,
):
    """Implements ports.stores.Store."""

    def __init__(self, pool: Pool, options: Options, run: str, replica_read: Callable[[str], None]) -> None:
        """Use `open_store`."""
        self._replica = Replica(options, options.replica, self._run, replica_read) if options.replica else None
        self._pool = pool
        self._begin = options.begin
        self._pooled = options.pooled
        self._chains = chains.Chains(run)

    @property
    def kind(self) -> str:
        """The back end's name."""
        return "postgresql"

    @property
    def free(self) -> int:
        """How many more units of work could begin without waiting."""
        return self._pool.free

    def transaction(self) -> AbstractAsyncContextManager[PostgresTransaction]:
        """Opens a unit of work; commits when the block ends without an exception."""
        return self._unit(self._begin)

    @asynccontextmanager
    async def _unit(self, begin: str) -> AsyncIterator[PostgresTransaction]:
        async with self._pool.connection() as connection:
            unit = PostgresTransaction(connection, chains.Lease(self._chains), self._pool.memory)
            try:
                await unit.begin(begin)
                yield unit
            except BaseException:
                await unit.rollback()
                raise
            await unit.commit()

    async def lease_numbers(self, tenant: TenantId, day: str, size: int) -> int:
        """Takes the next `size` incident numbers of a tenant's UTC day (YYYYMMDD); returns the first, from 1."""
        rows = await self._fetch("lease_numbers", tenant, day, size)
        return int(rows[0][0])

    async def incident(self, tenant: TenantId, ref: str) -> Incident:
        """An incident by id or number. Raises NotFound."""
        rows = await self._read(SQL["incident_by_id" if is_uuid(ref) else "incident_by_number"], tenant, ref)
        if not rows:
            raise NotFound("incident", ref)
        return records.incident_of(rows[0], str)

    async def incidents(self, query: IncidentQuery) -> Sequence[Incident]:
        """One page of a list."""
        return [records.incident_of(row, str) for row in await self._done(lambda: _LISTS.page(query))]

    async def count_incidents(self, query: IncidentQuery) -> int:
        """How many match, regardless of limit, offset and after."""
        return (await self._done(lambda: _LISTS.count(query))).total

    async def count_up_to(self, query: IncidentQuery, most: int) -> Count:
        """The same, but where it would take looking at more than `most` of them it is told as "at least"."""
        return await self._done(lambda: _LISTS.count(query, most))

    async def index_incidents(self, limit: int) -> int:
        """Brings what lists ask about up to `limit` changes further along the feed; returns how many it was."""
        async with self._unit(self._begin) as unit:
            return await indexing.copy(unit, limit)

    async def index_words(self, limit: int) -> int:
        """Brings what searches ask about up to `limit` changes further along the feed; returns how many it was."""
        async with self._unit(self._begin) as unit:
            return await indexing.document(unit, limit)

    async def timeline(
        self, tenant: TenantId, incident: IncidentId, after: str, limit: int, kind: TimelineKind | None = None
    ) -> Sequence[TimelineEntry]:
        """Timeline entries with an id larger than `after`, oldest first; of one kind only when told."""
        rows = await self._read(SQL["timeline"], tenant, incident, after or BEFORE_ALL, limit, kind)
        return [records.timeline_of(row, str) for row in rows]

    async def related(
        self, tenant: TenantId, incident: IncidentId, after: tuple[int, str], limit: int
    ) -> Sequence[Related]:
        """The incidents that one has to do with, by relation and id, behind such a pair."""
        rows = await self._read(SQL["related"], tenant, incident, after[0], after[1] or BEFORE_ALL, limit)
        return [belongings.related_of(row, str) for row in rows]

    async def attachments(self, tenant: TenantId, incident: IncidentId, after: str, limit: int) -> Sequence[Attachment]:
        """Attachments with an id larger than `after`, oldest first."""
        rows = await self._read(SQL["attachments"], tenant, incident, after or BEFORE_ALL, limit)
        return [belongings.attachment_of(row, str) for row in rows]

    async def event(self, tenant: TenantId, event: EventId) -> StoredEvent:
        """A stored event. Raises NotFound."""
        rows = await self._read(SQL["event"], tenant, event) if is_uuid(event) else []
        if not rows:
            raise NotFound("event", event)
        *row, body, decision = rows[0]
        return StoredEvent(records.event_of(row, str), body, decision)

    async def deliveries(self, tenant: TenantId, incident: IncidentId) -> Sequence[DeliveryRow]:
        """What was sent for an incident, oldest first."""
        return [records.delivery_of(row, str) for row in await self._read(SQL["deliveries"], tenant, incident)]

    async def feed_position(self) -> Position:
        """The position after the latest change that everybody can see."""
        rows = await self._fetch("feed_position")
        return Position(*rows[0]) if rows else Position(0, 0)

    async def feed_after(self, tenant: TenantId | None, position: Position, limit: int) -> Sequence[FeedItem]:
        """Changes behind a position in commit order; of all tenants when None."""
        rows = await self._fetch("feed_after", tenant, *position, limit)
        return [_feed_item(tuple(row)) for row in rows]

    async def feed_settled(self) -> bool:
        """Whether no running transaction holds back changes that are committed."""
        return bool((await self._fetch("feed_settled"))[0][0])

    async def sweep(self, before: Instant, limit: int) -> int:
        """Deletes idempotency keys, answers, segments and released fingerprints older than that; returns how many."""
        swept = 0
        for name in _SWEEPS:
            async with self._unit(self._begin) as unit:
                swept += await unit.execute(SQL[name], before, limit - swept)
        return swept

    async def expire(self, what: Expiring, before: Instant, limit: int, above: int = 0) -> Expired:
        """Drops the oldest partition or deletes `limit` rows, if older than `before`, while larger than `above` bytes.

        Raises KeyTaken when the moment for it does not come soon.
        """
        async with self._pool.connection() as connection:
            with failures.translated(), partitions.permitted():
                return await retention.expire(connection, what, before, limit, above=above, run=self._chains.run)

    async def size(self) -> int:
        """How many bytes the database takes on disk."""
        return int((await self._fetch("size"))[0][0])

    async def make_room(self, now: Instant) -> int:
        """Makes the partitions of today and the coming days; returns how many. Raises KeyTaken, UpkeepRefused."""
        async with self._pool.connection() as connection:
            with failures.translated(), partitions.permitted():
                return await partitions.make_room(connection, now)

    async def check(self) -> None:
        """Raises StoreUnavailable unless a statement can be run now, and a change could be written."""
        rows = await self._fetch("probe")
        if rows[0][0]:
            raise StoreUnavailable("the server is a standby")

    async def check_replica(self) -> None:
        """Raises DomainError while a replica is configured and the primary has to answer what it should."""
        if self._replica is not None:
            await self._replica.check()

    async def close(self) -> None:
        """Finishes what runs, then gives everything back."""
        if self._replica is not None:
            await self._replica.close()
        await self._pool.close()

    async def _done(self, begun: Callable[[], listing.Steps[T]]) -> T:
        """Runs statement after statement on one connection."""

        async def work(ask: Ask) -> T:
            steps, rows = begun(), None
            while True:
                try:
                    clause = steps.send(rows)  # type: ignore[arg-type]  # None starts it
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]  # what the steps return
                rows = [tuple(row) for row in await ask(clause.text, *clause.parameters)]

        return await self._reading(work)

    async def _fetch(self, name: str, *values: object) -> Rows:
        return await self._run(SQL[name], *values)

    async def _run(self, statement: str, *values: object) -> Rows:
        return await self._on_primary(lambda ask: ask(statement, *values))

    async def _read(self, statement: str, *values: object) -> Rows:
        """As `_run`, from the replica if it has all that is committed by now."""
        return await self._reading(lambda ask: ask(statement, *values))

    async def _reading(self, work: Callable[[Ask], Awaitable[T]]) -> T:
        found = None if self._replica is None else await self._replica.use(work)
        return await self._on_primary(work) if found is None else found

    async def _on_primary(self, work: Callable[[Ask], Awaitable[T]]) -> T:
        if self._pooled:  # a statement is parsed in one step and run in another: it needs one server for both
            async with self._unit(self._begin) as unit:
                return await work(unit.fetch)
        async with self._pool.connection() as connection:
            with failures.translated():
                return await work(connection.fetch)


def _feed_item(row: tuple[Any, ...]) -> FeedItem:
    moment, sequence, kind = row[_WIDTH:]
    return FeedItem(Position(moment, sequence), ChangeKind(kind), records.incident_of(row, str))


async def open_store(
    options: Options,
    run: str,
    now: Instant,
    *,
    migrate: bool = True,
    replica_read: Callable[[str], None] = lambda _: None,
    missing: Callable[[str], None] = lambda _: None,
) -> PostgresStore:
    """Connects, checks what the server promises, and adds to the schema what is missing when `migrate` says so.

    `run` is unique to this start: the writers of audit chains carry it. `missing` is told what the server has lost.
    Raises StoreRefused for what a person must mend, StoreUnavailable when the server does not answer.
    """
    pool = await opening.connect(options, missing)
    try:
        async with starting.explained(), pool.connection() as connection:
            known = migrations.load("postgres")
            await (schema.apply(connection, known, now, Phase.PRE) if migrate else schema.require(connection, known))
    except BaseException:
        pool.terminate()
        raise
    store = PostgresStore(pool, options, run, replica_read)
    try:
        await store.make_room(now)
    except (KeyTaken, UpkeepRefused) as error:  # tried again every minute; until then events lie in the default one
        logs.get("postgres").warning("partitions.later", error=error.message)
    return store

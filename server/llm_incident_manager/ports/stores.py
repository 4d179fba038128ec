"""The record of everything: one port, two back ends, one conformance suite.

Writing: `async with store.transaction() as tx`, read what the decision needs, decide purely, then one `tx.write`.
Leaving the block commits; an exception rolls everything back. Statements after a failed commit never run.
Every method raises StoreUnavailable when the database does not answer within its deadline.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.filters import Filter, Order, Place
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.retention import Expired, Expiring
from llm_incident_manager.domain.search import Words
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import ChangeKind, TimelineEntry, TimelineKind
from llm_incident_manager.ports import seen
from llm_incident_manager.ports.access_store import AccessHolding, AccessStore
from llm_incident_manager.ports.agent_store import AgentHolding, AgentStore
from llm_incident_manager.ports.analytics import Figured
from llm_incident_manager.ports.audit import AuditStore
from llm_incident_manager.ports.belongings import AllBelongings, Belongings
from llm_incident_manager.ports.changes import (
    AnswerRow,
    Changes,
    Claimed,
    Claims,
    DeliveryRow,
    EventRow,
    FingerprintKey,
    OutboxRow,
    ProducerKey,
    ProducerRow,
)
from llm_incident_manager.ports.dead_letters import DeadLetters, LockDead
from llm_incident_manager.ports.leases import LeaseHolding, LeaseStore
from llm_incident_manager.ports.processes import ProcessStore
from llm_incident_manager.ports.timers import TimerLeases, TimerStore
from llm_incident_manager.ports.work import WorkStore


class KeyTaken(DomainError):
    """Another transaction took a fingerprint, a key or a row between our read and our write: decide again. The unit of
    work is rolled back. Pipelines and use cases repeat it a few times; nobody outside sees it."""

    def __init__(self, what: str) -> None:
        """`what` names the table or key, for the log."""
        message = f"{what} was changed by another transaction; try again"
        super().__init__(ErrorReason.STORE_UNAVAILABLE, message, retry_after=0.1)


class StoreRefused(Exception):
    """The database cannot be used as it is. The message says what was found and what to do; the start ends here."""


class StoreBroken(Exception):
    """What the disk holds is no longer certain: a flush failed, or the file is damaged. Each call raises it again. The
    process has to end; the next start reads what really is on the disk."""


class StoredEvent(NamedTuple):
    """A ledger row with its body (the codec's bytes) and its decision (JSON), where they were kept."""

    row: EventRow
    body: bytes | None
    decision: str | None


class Position(NamedTuple):
    """Where a watcher stands: the last change it has seen, in commit order."""

    transaction: int
    sequence: int


class FeedItem(NamedTuple):
    """A change with its position and the incident as it is now."""

    position: Position
    kind: ChangeKind
    incident: Incident


class Count(NamedTuple):
    """How many match. With `at_least` there are more, and nobody looked how many more."""

    total: int
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """A list of incidents of a tenant. `created_from` is inclusive, `created_before` exclusive.

    `after` continues behind the incident whose order values and id it holds (keyset paging), `before` ends ahead of
    another one; `offset` skips rows. `backwards` reads from the end: the last incident comes first.
    """

    tenant: TenantId
    filter: Filter | None = None
    order: tuple[Order, ...] = ()
    created_from: Instant | None = None
    created_before: Instant | None = None
    limit: int = 50
    offset: int = 0
    after: Place | None = None
    search: Words | None = None
    before: Place | None = None
    backwards: bool = False


class Transaction(
    Belongings, LockDead, TimerLeases, LeaseHolding, seen.Incarnate, AccessHolding, AgentHolding, Protocol
):
    """One unit of work. Reads see its own state of the database; incidents read here are locked until its end."""

    async def claim(self, claims: Claims) -> Claimed:
        """Locks and reads what an ingest batch needs: producers, idempotency keys, fingerprints, their incidents."""
        ...

    async def stored_events(self, key: ProducerKey, first_sequence: int, count: int) -> Sequence[EventRow | None]:
        """The rows of a producer's events by sequence number; None where it had no accepted event."""
        ...

    async def incident(self, tenant: TenantId, ref: str) -> Incident:
        """Reads and locks an incident by id or number. Raises NotFound."""
        ...

    async def peek(self, tenant: TenantId, ref: str) -> Incident:
        """Reads an incident by id or number without locking it: to learn what to lock. Raises NotFound."""
        ...

    async def peek_each(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        """Reads incidents by id without locking them, in id order; missing ones are left out."""
        ...

    async def events(self, tenant: TenantId, ids: Sequence[EventId]) -> Sequence[StoredEvent]:
        """Stored events by id, in id order; missing ones are left out."""
        ...

    async def key_counts(self, keys: Sequence[FingerprintKey]) -> Mapping[FingerprintKey, int | None]:
        """How many events held fingerprints had (None: not counted); those that nobody holds are left out."""
        ...

    async def holder(self, key: FingerprintKey) -> IncidentId | None:
        """The open incident that holds the fingerprint."""
        ...

    async def answer(self, tenant: TenantId, request_id: str) -> AnswerRow | None:
        """The stored answer to a request id. Concurrent transactions with the same id wait for each other."""
        ...

    async def open_producer(self, key: ProducerKey, now: Instant) -> ProducerRow:
        """Starts a new epoch of a producer and returns it with how far the producer has come."""
        ...

    async def incidents(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        """Reads and locks incidents by id, in id order; missing ones are left out."""
        ...

    async def still_leased(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Those of claimed rows that nobody has finished or claimed since; they are locked until the end."""
        ...

    async def write(self, changes: Changes) -> None:
        """Writes everything. Raises KeyTaken when a fingerprint or idempotency key was taken meanwhile."""
        ...


class Store(
    AccessStore,
    AgentStore,
    AuditStore,
    AllBelongings,
    DeadLetters,
    Figured,
    TimerStore,
    WorkStore,
    LeaseStore,
    ProcessStore,
    Protocol,
):
    """A database. Reading methods outside a transaction may use other connections."""

    @property
    def kind(self) -> str:
        """One of sqlite, memory, postgresql."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Opens a unit of work; commits when the block ends without an exception."""
        ...

    async def lease_numbers(self, tenant: TenantId, day: str, size: int) -> int:
        """Takes the next `size` incident numbers of a tenant's UTC day (YYYYMMDD); returns the first, from 1."""
        ...

    async def incident(self, tenant: TenantId, ref: str) -> Incident:
        """An incident by id or number. Raises NotFound."""
        ...

    async def incidents(self, query: IncidentQuery) -> Sequence[Incident]:
        """One page of a list."""
        ...

    async def count_incidents(self, query: IncidentQuery) -> int:
        """How many match, regardless of limit, offset and after."""
        ...

    async def count_up_to(self, query: IncidentQuery, most: int) -> Count:
        """The same, but where it would take looking at more than `most` of them it is told as "at least"."""
        ...

    async def index_incidents(self, limit: int) -> int:
        """Brings what lists ask about up to at most `limit` changes further along the feed; returns how many it was.

        One process at a time does so; others get 0. Until then lists look up what changed in the incidents themselves.
        """
        ...

    async def index_words(self, limit: int) -> int:
        """The same for what searches ask. Until then a search does not find what has changed."""
        ...

    async def timeline(
        self, tenant: TenantId, incident: IncidentId, after: str, limit: int, kind: TimelineKind | None = None
    ) -> Sequence[TimelineEntry]:
        """Timeline entries with an id larger than `after`, oldest first; of one kind only when told."""
        ...

    async def event(self, tenant: TenantId, event: EventId) -> StoredEvent:
        """A stored event. Raises NotFound."""
        ...

    async def events(self, tenant: TenantId, ids: Sequence[EventId]) -> Sequence[StoredEvent]:
        """Stored events by id, in id order; missing ones are left out."""
        ...

    async def deliveries(self, tenant: TenantId, incident: IncidentId) -> Sequence[DeliveryRow]:
        """What was sent for an incident, oldest first."""
        ...

    async def feed_position(self) -> Position:
        """The position after the latest visible change."""
        ...

    async def feed_after(self, tenant: TenantId | None, position: Position, limit: int) -> Sequence[FeedItem]:
        """Changes behind a position in commit order; of all tenants when None."""
        ...

    async def feed_settled(self) -> bool:
        """Whether `feed_after` shows all that is committed: an older transaction may hold newer changes back."""
        ...

    async def sweep(self, before: Instant, limit: int) -> int:
        """Deletes idempotency keys, answers, segments and released fingerprints older than that; returns how many."""
        ...

    async def expire(self, what: Expiring, before: Instant, limit: int, above: int = 0) -> Expired:
        """Looks at `limit` of the oldest records at most, and deletes those that are older than `before`.

        Does nothing while the database is not larger than `above` bytes.
        Where records lie in partitions, one whole partition goes at once, and its number of rows is an estimate.
        Raises KeyTaken when others are in the way: try again later.
        """
        ...

    async def size(self) -> int:
        """How many bytes the records take, without room that deleting has freed for new ones."""
        ...

    async def make_room(self, now: Instant) -> int:
        """Prepares places for the events of today and the coming days; returns how many were missing.

        Raises KeyTaken when others are in the way: try again later; until then events lie elsewhere, and are not lost.
        """
        ...

    async def check(self) -> None:
        """Raises StoreUnavailable unless a statement can be run now."""
        ...

    async def check_replica(self) -> None:
        """Raises DomainError while a replica is configured and the primary has to answer what it should."""
        ...

    async def close(self) -> None:
        """Finishes what runs, then gives everything back."""
        ...

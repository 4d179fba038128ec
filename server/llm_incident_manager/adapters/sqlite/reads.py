"""What a store is asked, as functions over one connection. They change nothing; a transaction uses them, too."""

from collections.abc import Sequence
from secrets import token_hex
from typing import TypeVar

import apsw
import orjson

from llm_incident_manager.adapters.sql import dialect, listing, records
from llm_incident_manager.adapters.sqlite import ids
from llm_incident_manager.adapters.sqlite.statements import STATEMENTS, Row, bulk, first, rows
from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId, is_uuid
from llm_incident_manager.domain.incident import Holder, Incident
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import ChangeKind, TimelineEntry, TimelineKind
from llm_incident_manager.ports.changes import (
    AnswerRow,
    Claimed,
    Claims,
    DeliveryRow,
    EventRow,
    FingerprintKey,
    IdempotencyRow,
    ProducerKey,
    ProducerRow,
)
from llm_incident_manager.ports.stores import Count, FeedItem, IncidentQuery, Position, StoredEvent

T = TypeVar("T")

_LISTS = listing.Lists(dialect.SQLITE, STATEMENTS["list_incidents"], STATEMENTS["stale_incidents"])


def incident(connection: apsw.Connection, tenant: TenantId, ref: str) -> Incident:
    """An incident by id or number. Raises NotFound."""
    found = first(connection, "incident_by_id" if is_uuid(ref) else "incident_by_number", (tenant, ref))
    if found is None:
        raise NotFound("incident", ref)
    return records.incident_of(found, ids.text)


def incidents(connection: apsw.Connection, tenant: TenantId, wanted: Sequence[IncidentId]) -> Sequence[Incident]:
    """Incidents by id, in id order; missing ones are left out."""
    found = bulk("incidents_by_id").run(connection, [(tenant, id_) for id_ in sorted(set(wanted))])
    return [records.incident_of(row, ids.text) for row in found]


def page(connection: apsw.Connection, query: IncidentQuery) -> Sequence[Incident]:
    """One page of a list."""
    return [records.incident_of(row, ids.text) for row in _done(connection, _LISTS.page(query))]


def count(connection: apsw.Connection, query: IncidentQuery, most: int | None = None) -> Count:
    """How many incidents match."""
    return _done(connection, _LISTS.count(query, most))


def _done(connection: apsw.Connection, steps: listing.Steps[T]) -> T:
    """Runs statement after statement."""
    rows: listing.Rows | None = None
    while True:
        try:
            clause = steps.send(rows)  # type: ignore[arg-type]  # None starts it
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # what the steps return
        rows = connection.execute(clause.text, clause.parameters).fetchall()


def holder(connection: apsw.Connection, key: FingerprintKey) -> IncidentId | None:
    """The open incident that holds the fingerprint."""
    found = first(connection, "holder", key)
    return None if found is None else IncidentId(ids.text(found[0]))


def answer(connection: apsw.Connection, tenant: TenantId, request_id: str) -> AnswerRow | None:
    """The stored answer to a request id."""
    found = first(connection, "answer", (tenant, request_id))
    return None if found is None else AnswerRow(*found)


INCARNATION = token_hex(8)
"""The file, or the memory, is this process's own as long as it runs; the next one may find it restored."""


def claim(connection: apsw.Connection, claims: Claims) -> Claimed:
    """What an ingest transaction needs to know."""
    holders, counted = _holders(connection, claims.fingerprints)
    free = [key for key in claims.fingerprints if key not in holders]
    return Claimed(
        producers=_producers(connection, claims.producers),
        idempotency=_idempotency(connection, claims.idempotency),
        holders=holders,
        previous=_previous(connection, free),
        counted=counted,
        incarnation=INCARNATION if claims.idempotency else "",
    )


def stored_events(
    connection: apsw.Connection, key: ProducerKey, first_sequence: int, count: int
) -> Sequence[EventRow | None]:
    """The rows of a producer's events by sequence number; None where it had no accepted event."""
    found: list[EventRow | None] = [None] * count
    before = first_sequence + count
    wanted = {**key._asdict(), "first": first_sequence, "before": before}
    for start, length, first_id in rows(connection, "segments", wanted):
        origin = ids.number(first_id) - start  # the id that sequence number 0 would have in this run
        lowest, highest = max(start, first_sequence), min(start + length, before) - 1
        ends = ids.stored(origin + lowest), ids.stored(origin + highest)
        for row in rows(connection, "events_between", (key.tenant, *ends)):
            found[ids.number(row[0]) - origin - first_sequence] = records.event_of(row, ids.text)
    return found


def event(connection: apsw.Connection, tenant: TenantId, event_id: EventId) -> StoredEvent:
    """A stored event. Raises NotFound."""
    found = first(connection, "event", (tenant, event_id)) if is_uuid(event_id) else None
    if found is None:
        raise NotFound("event", event_id)
    *row, body, decision = found
    return StoredEvent(records.event_of(row, ids.text), body, decision)


def timeline(
    connection: apsw.Connection,
    tenant: TenantId,
    incident_id: IncidentId,
    after: str,
    limit: int,
    kind: TimelineKind | None = None,
) -> Sequence[TimelineEntry]:
    """Timeline entries with an id larger than `after`, oldest first; of one kind only when told."""
    found = rows(connection, "timeline", (tenant, incident_id, after, limit, kind))
    return [records.timeline_of(row, ids.text) for row in found]


def deliveries(connection: apsw.Connection, tenant: TenantId, incident_id: IncidentId) -> Sequence[DeliveryRow]:
    """What was sent for an incident, oldest first."""
    return [records.delivery_of(row, ids.text) for row in rows(connection, "deliveries", (tenant, incident_id))]


def feed_position(connection: apsw.Connection) -> Position:
    """The position after the latest change. One writer: sequence order is commit order."""
    ((sequence,),) = rows(connection, "feed_position")
    return Position(0, sequence)


def feed_after(
    connection: apsw.Connection, tenant: TenantId | None, position: Position, limit: int
) -> Sequence[FeedItem]:
    """Changes behind a position in commit order."""
    if tenant is None:
        found = rows(connection, "feed_of_all", (position.sequence, limit))
    else:
        found = rows(connection, "feed_of_tenant", (position.sequence, tenant, limit))
    return [FeedItem(Position(0, row[-2]), ChangeKind(row[-1]), records.incident_of(row, ids.text)) for row in found]


def backlog(connection: apsw.Connection, topic: str) -> tuple[int, Instant | None]:
    """How many live rows a topic has and when the oldest was created."""
    ((live, oldest),) = rows(connection, "backlog", (topic,))
    return live, oldest


def _holders(
    connection: apsw.Connection, keys: Sequence[FingerprintKey]
) -> tuple[dict[FingerprintKey, Holder], set[FingerprintKey]]:
    """Who holds the fingerprints, and those whose events are counted one by one."""
    holders, counted = dict[FingerprintKey, Holder](), set[FingerprintKey]()
    for (found,) in bulk("holders").run(connection, keys):
        for tenant, version, value, is_counted, name, *facts in orjson.loads(found):
            key = FingerprintKey(tenant, version, value)
            holders[key] = records.holder_of(ids.from_hex(name), tenant, *facts)
            if is_counted:
                counted.add(key)
    return holders, counted


def _previous(connection: apsw.Connection, keys: Sequence[FingerprintKey]) -> dict[FingerprintKey, IncidentId]:
    found = bulk("previous_holders").run(connection, keys)
    return {FingerprintKey(*key): IncidentId(ids.text(incident_id)) for incident_id, *key in found}


def _producers(connection: apsw.Connection, keys: Sequence[ProducerKey]) -> dict[ProducerKey, ProducerRow]:
    found = (_producer(row) for row in bulk("producers").run(connection, keys))
    return {row.key: row for row in found}


def _producer(row: Row) -> ProducerRow:
    *key, epoch, last_sequence = row
    return ProducerRow(ProducerKey(*key), epoch, last_sequence)


def _idempotency(
    connection: apsw.Connection, keys: Sequence[tuple[TenantId, str]]
) -> dict[tuple[TenantId, str], IdempotencyRow]:
    found = (_named(row) for row in bulk("idempotency").run(connection, keys))
    return {(row.tenant, row.key): row for row in found}


def _named(row: Row) -> IdempotencyRow:
    tenant, key, event_id, incident_id, at = row
    belongs = None if incident_id is None else IncidentId(ids.text(incident_id))
    return IdempotencyRow(tenant, key, EventId(ids.text(event_id)), belongs, at)

"""Turns `Changes` into statements, in the order in which rows are locked. Decides nothing."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from llm_incident_manager.adapters.postgres import access, agents
from llm_incident_manager.adapters.postgres.inserting import Rows, Table, insert
from llm_incident_manager.adapters.postgres.pool import Connection
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import audit, belongings, changed, records
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.ports.changes import (
    AnswerRow,
    BodyRow,
    ChangeRow,
    Changes,
    FingerprintKey,
    IdempotencyRow,
    KeyRow,
)
from llm_incident_manager.ports.stores import KeyTaken

Source = Callable[[Changes], Rows]

_KEY_COLUMNS = ("tenant", "fp_version", "fingerprint", "incident_id")
_PRODUCER_COLUMNS = ("tenant", "principal", "producer_id")
AUDIT = Table("audit", audit.AUDIT_COLUMNS)
_SEGMENT_COLUMNS = (*_PRODUCER_COLUMNS, "first_sequence", "count", "first_event_id", "at")


class Insert(NamedTuple):
    """New rows of a table."""

    table: Table
    rows: Source


class Update(NamedTuple):
    """A statement over arrays, one for each column. With `each`, every row must find its row in the table."""

    statement: str
    rows: Source
    each: bool = False


def _same(text: str) -> str:
    """Ids go as text: the driver packs them."""
    return text


def _last_holders(changes: Changes) -> dict[FingerprintKey, IncidentId]:
    """Who held the fingerprints that are released, before this transaction."""
    if not changes.keys_released:
        return {}
    fleeting = set(changes.keys_taken)  # taken and released in one transaction: nobody else ever sees it
    return {row.key: row.incident_id for row in changes.keys_released if row not in fleeting}


def _lasting(changes: Changes) -> list[KeyRow]:
    released = set(changes.keys_released)
    return [row for row in changes.keys_taken if row not in released]


def _taken(changes: Changes) -> Rows:
    before = _last_holders(changes)
    return sorted(_key_row(row) for row in _lasting(changes) if row.key not in before)


def _passed_on(changes: Changes) -> Rows:
    before = _last_holders(changes)
    if not before:
        return []
    return [(*row.key, before[row.key], row.incident_id) for row in _lasting(changes) if row.key in before]


def _let_go(changes: Changes) -> Rows:
    before = _last_holders(changes)
    if not before:
        return []
    still = {row.key for row in _lasting(changes)}
    return [(*key, incident) for key, incident in before.items() if key not in still]


def _moved_keys(changes: Changes) -> Rows:
    return sorted((*row.key, row.before, row.after, row.event_count) for row in changes.keys_moved)


def _key_row(row: KeyRow) -> tuple[Any, ...]:
    return (*row.key, row.incident_id)


def _changed(changes: Changes) -> Rows:
    return [records.incident_row(incident, _same) for incident in changed.whole(changes)]


def _tallies(changes: Changes) -> Rows:
    return [
        (
            row.tenant,
            row.incident_id,
            row.tally.event_count,
            row.tally.tokens,
            row.tally.cost_usd,
            row.tally.users_affected,
            row.tally.first_seen,
            row.tally.last_seen,
        )
        for row in changes.tallies
    ]


def _producers(changes: Changes) -> Rows:
    moved = {segment.key: segment.at for segment in changes.segments}
    return [(*row.key, row.epoch, row.last_sequence, moved.get(row.key)) for row in changes.producers]


def _finished(changes: Changes) -> Rows:
    return [(row.id, row.fence) for row in changes.outbox_done]


def _delivery_updates(changes: Changes) -> Rows:
    return [(d.id, d.tenant, d.state, d.attempts, d.error, d.updated_at) for d in changes.delivery_updates]


def _ended_timers(changes: Changes) -> Rows:
    """One that is done and set again is only set."""
    again = {row[:2] for row in changes.timers}
    return [(row.incident_id, row.key, row.fence) for row in changes.timers_done if row[:2] not in again]


def _links_removed(changes: Changes) -> Rows:
    return [(row.incident_id, row.relation, row.other_id, row.tenant) for row in changes.links_removed]


def _timers(changes: Changes) -> Rows:
    return sorted(row[:6] for row in changes.timers)


# What may have to wait for others comes first and sorted, in one order for everybody: names, then new fingerprints.
# Everything behind that is ours alone. Fingerprints are let go last: whoever wants one waits for us from then on.
CONTENDED: tuple[Insert | Update, ...] = (
    Update("save_producers", _producers, each=True),
    Insert(Table("idempotency", IdempotencyRow._fields), lambda c: sorted(c.idempotency, key=itemgetter(0, 1))),
    Insert(Table("incident_key", _KEY_COLUMNS), _taken),
    Insert(Table("request_answer", AnswerRow._fields), lambda c: c.answers),
    Update("add_deliveries", lambda c: sorted(c.deliveries, key=itemgetter(2, 6, 3))),
    Update("pass_keys_on", _passed_on, each=True),
    Update("move_keys", _moved_keys, each=True),
    Update("release_keys", _let_go),
)

OWN: tuple[Insert, ...] = (
    Insert(Table("incident", records.INCIDENT_COLUMNS), lambda c: [records.incident_row(i, _same) for i in c.opened]),
    Insert(Table("event", records.EVENT_COLUMNS), lambda c: c.events),
    Insert(Table("event_body", BodyRow._fields), lambda c: c.bodies),
    Insert(Table("incident_attachment", belongings.ATTACHMENT_COLUMNS), lambda c: c.attachments),
    Insert(Table("timeline", records.TIMELINE_COLUMNS), lambda c: [records.timeline_row(t, _same) for t in c.timeline]),
    Insert(Table("incident_change", ChangeRow._fields), lambda c: c.announced()),
    Insert(Table("outbox", records.OUTBOX_COLUMNS), lambda c: c.outbox),
    Insert(Table("producer_segment", _SEGMENT_COLUMNS), lambda c: [(*row.key, *row[1:]) for row in c.segments]),
)
"""They follow each other in any order; the audit goes with them."""

UPDATES: tuple[Update, ...] = (
    Update("save_incidents", _changed, each=True),
    Update("save_breaches", changed.breaches, each=True),
    Update("add_tallies", _tallies),
    Update("add_key_counts", lambda c: sorted((*row.key, row.events) for row in c.key_counts)),
    Update("set_routes", lambda c: c.routes),
    Update("remember_keys", lambda c: [_key_row(row) for row in c.keys_released]),
    Update("move_events", lambda c: c.events_moved, each=True),
    Update("remove_links", _links_removed),
    Update("add_links", lambda c: [belongings.link_row(row, _same) for row in c.links]),
    Update("remove_attachments", lambda c: [(row.incident_id, row.id, row.tenant) for row in c.attachments_removed]),
    Update("finish_work", _finished),
    Update("retry_work", lambda c: c.outbox_retries),
    Update("remove_dead", lambda c: [(row.tenant, row.id) for row in c.dead_removed]),
    Update("save_deliveries", _delivery_updates),
    Update("save_analyses", lambda c: c.analyses),
    Update("finish_timers", _ended_timers),
    Update("retry_timers", lambda c: c.timer_retries),
    Update("remove_timers", lambda c: c.timers_removed),
    Update("set_timers", _timers),
)


async def run(connection: Connection, changes: Changes, audited: Rows) -> None:
    """Writes everything. Raises KeyTaken when a row that must exist does not, and the driver's errors."""
    for step in CONTENDED:
        if rows := step.rows(changes):
            await (
                insert(connection, [(step.table, rows)])
                if isinstance(step, Insert)
                else _update(connection, step, rows)
            )
    await insert(connection, [*((step.table, step.rows(changes)) for step in OWN), (AUDIT, audited)])
    for step in UPDATES:
        if rows := step.rows(changes):
            await _update(connection, step, rows)
    await access.write(connection, changes.access)
    await agents.write(connection, changes.agents)


async def _update(connection: Connection, step: Update, rows: Rows) -> None:
    status = await connection.execute(SQL[step.statement], *zip(*rows, strict=True))
    if step.each and int(status.rpartition(" ")[2]) != len(rows):
        raise KeyTaken(step.statement.removeprefix("save_"))

"""Turns `Changes` into few statements, on the writer's thread and inside its transaction. Decides nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import apsw

from llm_incident_manager.adapters.sql import belongings, changed, records
from llm_incident_manager.adapters.sql.audit import AuditChain
from llm_incident_manager.adapters.sqlite import access, agents, ids, outbox, timers
from llm_incident_manager.adapters.sqlite.statements import bulk
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Tally
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import Changes, KeyRow, ProducerKey, TallyRow
from llm_incident_manager.ports.stores import KeyTaken

Rows = Sequence[Sequence[Any]]


class Step(NamedTuple):
    """A bulk statement and its rows. With `each`, every row must find its row in the table.

    `contended` names what another transaction may have taken meanwhile, when the statement fails for that.
    """

    statement: str
    rows: Callable[[Changes], Rows]
    each: bool = False
    contended: str = ""


def _key(row: KeyRow) -> tuple[Any, ...]:
    return (*row.key, row.incident_id)


def _taken(changes: Changes) -> Rows:
    # Opened and resolved in one transaction: nobody else ever sees that the key was held.
    gone = set(changes.keys_released)
    return [_key(row) for row in changes.keys_taken if row not in gone]


def _moved_keys(changes: Changes) -> Rows:
    return [(*row.key, row.before, row.after, row.event_count) for row in changes.keys_moved]


def _changed(changes: Changes) -> Rows:
    return [records.incident_row(incident, ids.same) for incident in changed.whole(changes)]


def _tallies(changes: Changes) -> Rows:
    """One row for each incident: the statement would use only one of several."""
    sums: dict[IncidentId, TallyRow] = {}
    for row in changes.tallies:
        before = sums.get(row.incident_id)
        sums[row.incident_id] = row if before is None else before._replace(tally=_sum(before.tally, row.tally))
    return [(row.tenant, row.incident_id, *_values(row.tally)) for row in sums.values()]


def _sum(a: Tally, b: Tally) -> Tally:
    seen = [at for at in (a.first_seen, a.last_seen, b.first_seen, b.last_seen) if at is not None]
    return Tally(
        a.event_count + b.event_count,
        a.tokens + b.tokens,
        a.cost_usd + b.cost_usd,
        max(a.users_affected, b.users_affected),
        min(seen, default=None),
        max(seen, default=None),
    )


def _values(tally: Tally) -> tuple[Any, ...]:
    return (
        tally.event_count,
        tally.tokens,
        tally.cost_usd,
        tally.users_affected,
        tally.first_seen,
        tally.last_seen,
    )


def _producers(changes: Changes) -> Rows:
    moved: Mapping[ProducerKey, Instant] = {segment.key: segment.at for segment in changes.segments}
    return [(*row.key, row.epoch, row.last_sequence, moved.get(row.key, 0)) for row in changes.producers]


def _delivery_updates(changes: Changes) -> Rows:
    return [(d.id, d.tenant, d.state, d.attempts, d.error, d.updated_at) for d in changes.delivery_updates]


def _links_removed(changes: Changes) -> Rows:
    return [(row.incident_id, row.relation, row.other_id, row.tenant) for row in changes.links_removed]


# Incidents stand before the memory of keys, which notes when the incident changed.
STEPS: tuple[Step, ...] = (
    Step("save_producers", _producers, each=True, contended="producer"),
    Step("insert_idempotency", lambda c: c.idempotency, contended="idempotency"),
    Step("insert_answers", lambda c: c.answers, contended="request_answer"),
    Step("remove_keys", lambda c: [_key(row) for row in c.keys_released]),
    Step("take_keys", _taken, contended="incident_key"),
    Step("move_keys", _moved_keys, each=True, contended="incident_key"),
    Step("add_key_counts", lambda c: [(*row.key, row.events) for row in c.key_counts]),
    Step("insert_incidents", lambda c: [records.incident_row(i, ids.same) for i in c.opened]),
    Step("update_incidents", _changed, each=True, contended="incident"),
    Step("set_breaches", changed.breaches, each=True, contended="incident"),
    Step("add_tallies", _tallies),
    Step("set_routes", lambda c: c.routes),
    Step("remember_keys", lambda c: [_key(row) for row in c.keys_released]),
    Step("insert_events", lambda c: c.events),
    Step("insert_bodies", lambda c: c.bodies),
    Step("move_events", lambda c: c.events_moved),
    Step("remove_links", _links_removed),
    Step("insert_links", lambda c: [belongings.link_row(row, ids.same) for row in c.links]),
    Step("remove_attachments", lambda c: [(row.incident_id, row.id, row.tenant) for row in c.attachments_removed]),
    Step("insert_attachments", lambda c: c.attachments),
    Step("insert_timeline", lambda c: [records.timeline_row(entry, ids.same) for entry in c.timeline]),
    Step("insert_changes", lambda c: c.announced()),
    Step("insert_segments", lambda c: [(*row.key, *row[1:]) for row in c.segments]),
    Step("insert_deliveries", lambda c: c.deliveries),
    Step("update_deliveries", _delivery_updates),
    Step("save_analyses", lambda c: c.analyses),
)


def write(connection: apsw.Connection, changes: Changes, chain: AuditChain) -> None:
    """Writes everything. Raises KeyTaken when something was taken, or is gone, since it was read."""
    for step in STEPS:
        if given := step.rows(changes):
            with _contended(step.contended):
                _run(connection, step, given)
    if changes.audit:
        bulk("insert_audit").run(connection, chain.extend(changes.audit))
    outbox.write(connection, changes)
    timers.write(connection, changes)
    access.write(connection, changes.access)
    agents.write(connection, changes.agents)


def _run(connection: apsw.Connection, step: Step, given: Rows) -> None:
    if bulk(step.statement).changing(connection, given) != len(given) and step.each:
        raise KeyTaken(step.contended)


@contextmanager
def _contended(what: str) -> Iterator[None]:
    try:
        yield
    except apsw.ConstraintError as error:
        if not what:
            raise
        raise KeyTaken(what) from error

"""The end of what is kept for a while only, in small steps so that ingest never waits long. Knows no ages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import apsw

from llm_incident_manager.adapters.sql import keeping
from llm_incident_manager.adapters.sql.keeping import Chain
from llm_incident_manager.adapters.sqlite.statements import STATEMENTS, rows
from llm_incident_manager.domain import ids
from llm_incident_manager.domain.retention import NOTHING, Expired, Expiring
from llm_incident_manager.domain.time import Instant

_SWEEPS = ("sweep_idempotency", "sweep_answers", "sweep_segments", "sweep_released")
_INCIDENTS_AT_ONCE = 100
"""An incident brings its timeline and deliveries along."""


def sweep(connection: apsw.Connection, before: Instant, limit: int) -> int:
    """Deletes at most `limit` rows that are older than `before`; returns how many."""
    start = connection.total_changes()
    for name in _SWEEPS:
        rows(connection, name, (before, limit - (connection.total_changes() - start)))
    return connection.total_changes() - start


def size(connection: apsw.Connection) -> int:
    """Bytes in use. Pages that deleting has freed are taken for new rows first; the file keeps its length."""
    ((used,),) = rows(connection, "size")
    return int(used)


class Expirer:
    """Deletes old records of one database; remembers how far it came among those that stay."""

    def __init__(self, run: str) -> None:
        """`run` is this run of the server, whose audit chains go on."""
        self._run = run
        self._behind = b""
        self._steps: Mapping[Expiring, Callable[[apsw.Connection, Instant, int], Expired]] = {
            Expiring.BODIES: _bodies,
            Expiring.EVENTS: _events,
            Expiring.FINISHED_EVENTS: self._finished_events,
            Expiring.CHANGES: _changes,
            Expiring.INCIDENTS: _incidents,
            Expiring.AUDIT: self._audit,
        }

    def expire(self, connection: apsw.Connection, what: Expiring, before: Instant, limit: int, above: int) -> Expired:
        """One step, while the database is larger than `above` bytes."""
        if above and size(connection) <= above:
            return NOTHING
        return self._steps[what](connection, before, limit)

    def _finished_events(self, connection: apsw.Connection, before: Instant, limit: int) -> Expired:
        """Walks from the oldest event on. Rows that stay are passed once a round, not looked at in each step."""
        wanted = {"after": self._behind, "first": ids.first_of(before), "limit": limit}
        ((last,),) = rows(connection, "next_events", wanted)
        if last is None:
            self._behind = b""
            return NOTHING
        gone = _delete(connection, "expire_finished_events", {"after": self._behind, "last": last})
        self._behind = last
        return Expired(gone, more=True)

    def _audit(self, connection: apsw.Connection, before: Instant, limit: int) -> Expired:
        """One step at the oldest chain that may go. Where checkpoints are signed they have to retire it first: whoever
        verifies the trail could not tell its end from an attack."""
        for chain in finished_chains(connection, before, self._run):
            named = {"tenant": chain.tenant, "writer": chain.writer}
            if rows(connection, "may_end_chain", named) == [(1,)]:
                return _expired(_delete(connection, "expire_audit", {**named, "limit": limit}))
        return NOTHING


def finished_chains(connection: apsw.Connection, before: Instant, run: str) -> Sequence[Chain]:
    """Audit chains that are over, oldest first; `run` goes on."""
    chains = (Chain(tenant, writer, at) for tenant, writer, _, at, _ in rows(connection, "audit_heads"))
    return keeping.finished_chains(chains, before, run)


def _bodies(connection: apsw.Connection, before: Instant, limit: int) -> Expired:
    return _expired(_delete(connection, "expire_bodies", {"first": ids.first_of(before), "limit": limit}))


def _events(connection: apsw.Connection, before: Instant, limit: int) -> Expired:
    return _expired(_delete(connection, "expire_events", {"first": ids.first_of(before), "limit": limit}))


def _changes(connection: apsw.Connection, before: Instant, limit: int) -> Expired:
    return _expired(_delete(connection, "expire_changes", {"before": before, "limit": limit}))


def _incidents(connection: apsw.Connection, before: Instant, limit: int) -> Expired:
    wanted = {"before": before, "limit": min(limit, _INCIDENTS_AT_ONCE)}
    found = [str(name) for (name,) in rows(connection, "tables_of_incidents")]
    for table in keeping.tables_of_incidents(found):
        connection.execute(STATEMENTS["expire_of_incidents"].replace("FROM timeline", f"FROM {table}"), wanted)
    rows(connection, "expire_outbox", wanted)
    return _expired(_delete(connection, "expire_incidents", wanted))


def _expired(gone: int) -> Expired:
    return Expired(gone, more=gone > 0)


def _delete(connection: apsw.Connection, name: str, values: Mapping[str, Any]) -> int:
    rows(connection, name, values)
    return connection.changes()

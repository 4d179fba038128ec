"""Work for after the commit, on the writer's thread: who comes first in its lane, who has leased what. Does no work."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import apsw

from llm_incident_manager.adapters.sql import records
from llm_incident_manager.adapters.sqlite import ids
from llm_incident_manager.adapters.sqlite.statements import bulk, first, rows
from llm_incident_manager.domain.ids import TenantId, is_uuid
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import Changes, OutboxRow
from llm_incident_manager.ports.dead_letters import DeadQuery

_WHENEVER = 2**63 - 1


def write(connection: apsw.Connection, changes: Changes) -> None:
    """Ends, puts off and adds work."""
    ended = bulk("remove_outbox").run(connection, [(row.id, row.fence) for row in changes.outbox_done])
    retried = bulk("retry_outbox").run(connection, changes.outbox_retries)
    freed = [*ended, *(row[:3] for row in retried if row[3])]
    bulk("unblock_outbox").run(connection, list({(topic, lane) for topic, lane, blocked in freed if not blocked}))
    bulk("remove_dead").run(connection, [(row.tenant, row.id) for row in changes.dead_removed])
    bulk("insert_outbox").run(connection, list(_marked(changes.outbox)))


class Lease(NamedTuple):
    """Who wants work of a topic, when, and until when."""

    topic: str
    owner: str
    now: Instant
    until: Instant


def claim(connection: apsw.Connection, lease: Lease, limit: int, made_before: Instant | None) -> Sequence[OutboxRow]:
    """Leases due rows of a topic: of each lane only the first unfinished one, in order of ids."""
    made = _WHENEVER if made_before is None else made_before
    leased = rows(connection, "claim_work", {**lease._asdict(), "limit": limit, "made": made})
    return [records.outbox_of(row, ids.text) for row in sorted(leased)]


def claim_rows(connection: apsw.Connection, lease: Lease, wanted: Sequence[str]) -> Sequence[OutboxRow]:
    """The same of these rows only."""
    known = sorted({id_ for id_ in wanted if is_uuid(id_)})
    leased = bulk("claim_rows").run(connection, [(id_, *lease) for id_ in known])
    return [records.outbox_of(row, ids.text) for row in sorted(leased)]


def still_leased(connection: apsw.Connection, claimed: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
    """Those of claimed rows that nobody has finished or claimed since."""
    held = {ids.text(id_) for (id_,) in bulk("still_leased").run(connection, [(row.id, row.fence) for row in claimed])}
    return [row for row in claimed if row.id in held]


def dead(connection: apsw.Connection, query: DeadQuery) -> Sequence[OutboxRow]:
    """One page of dead letters, oldest first."""
    wanted = {**_which(query), "after": query.after, "limit": query.limit}
    return [records.outbox_of(row, ids.text) for row in rows(connection, "dead_letters", wanted)]


def dead_by_id(connection: apsw.Connection, tenant: TenantId, wanted: Sequence[str]) -> Sequence[OutboxRow]:
    """Those dead letters that exist, in id order."""
    known = sorted({id_ for id_ in wanted if is_uuid(id_)})
    found = bulk("dead_by_id").run(connection, [(tenant, id_) for id_ in known])
    return [records.outbox_of(row, ids.text) for row in found]


def count_dead(connection: apsw.Connection, query: DeadQuery) -> int:
    """How many dead letters there are, regardless of page."""
    ((count,),) = rows(connection, "count_dead", _which(query))
    return int(count)


def dead_by_topic(connection: apsw.Connection) -> Mapping[str, int]:
    """How many dead letters there are of each topic."""
    return dict(rows(connection, "dead_by_topic"))


def _which(query: DeadQuery) -> dict[str, Any]:
    return {"tenant": query.tenant, "topic": query.topic, "incident": query.incident}


def reset(connection: apsw.Connection) -> None:
    """Ends all leases: whoever held them has gone with its process."""
    first(connection, "reset_leases")


def _marked(added: Iterable[OutboxRow]) -> Iterable[tuple[Any, ...]]:
    """The rows with whether an earlier one of them has the same lane."""
    seen: set[tuple[str, str]] = set()
    for row in added:
        lane = (row.topic, row.lane)
        yield (*row[:-1], lane in seen)  # nobody has leased it: its fence is the column's default
        seen.add(lane)

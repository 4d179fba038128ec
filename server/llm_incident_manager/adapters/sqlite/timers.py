"""Timers on the writer's thread: which are due, who has leased what. Does no work."""

from collections.abc import Sequence

import apsw

from llm_incident_manager.adapters.sql import records
from llm_incident_manager.adapters.sqlite import ids
from llm_incident_manager.adapters.sqlite.statements import bulk, first, rows
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timers import KINDS
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.timers import HeldTimers, Overdue, TimerRow

_KINDS = f" {' '.join(KINDS)} "


def write(connection: apsw.Connection, changes: Changes) -> None:
    """Ends, puts off, removes and sets timers. One that is done and set again is only set."""
    again = {row[:2] for row in changes.timers}
    done = [(row.incident_id, row.key, row.fence) for row in changes.timers_done if row[:2] not in again]
    bulk("finish_timers").run(connection, done)
    bulk("retry_timers").run(connection, changes.timer_retries)
    bulk("remove_timers").run(connection, changes.timers_removed)
    bulk("set_timers").run(connection, [row[:6] for row in changes.timers])


def claim(
    connection: apsw.Connection, owner: str, now: Instant, lease_until: Instant, limit: int
) -> Sequence[TimerRow]:
    """Leases timers that are due, the longest due first."""
    wanted = {"owner": owner, "now": now, "until": lease_until, "limit": limit, "kinds": _KINDS}
    leased = [records.timer_of(row, ids.text) for row in rows(connection, "claim_timers", wanted)]
    return sorted(leased, key=lambda row: (row.due_at, row.incident_id, row.key))


def hold(connection: apsw.Connection, claimed: Sequence[TimerRow]) -> HeldTimers:
    """Those of claimed timers that nobody has ended, set or claimed since, and the incidents of all of them."""
    about = dict.fromkeys((row.tenant, row.incident_id) for row in claimed)
    found = (records.incident_of(row, ids.text) for row in bulk("incidents_by_id").run(connection, list(about)))
    return HeldTimers(leased(connection, claimed), {incident.id: incident for incident in found})


def leased(connection: apsw.Connection, claimed: Sequence[TimerRow]) -> Sequence[TimerRow]:
    """Those of claimed timers that nobody has ended, set or claimed since."""
    wanted = [(row.incident_id, row.key, row.fence) for row in claimed]
    held = {(ids.text(id_), key, fence) for id_, key, fence in bulk("leased_timers").run(connection, wanted)}
    return [row for row in claimed if (row.incident_id, row.key, row.fence) in held]


def following(connection: apsw.Connection, now: Instant) -> Instant | None:
    """When the first timer is due that is not due yet."""
    ((due,),) = rows(connection, "next_timer", (now,))
    return None if due is None else Instant(due)


def overdue(connection: apsw.Connection, now: Instant) -> Overdue:
    """The timers that are due and not done."""
    ((count, since),) = rows(connection, "overdue_timers", (now,))
    return Overdue(count, since)


def reset(connection: apsw.Connection) -> None:
    """Ends all leases: whoever held them has gone with its process."""
    first(connection, "reset_timer_leases")

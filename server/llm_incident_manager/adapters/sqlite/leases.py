"""Leases and processes on the writer's thread: who has what, who is alive. Does no work."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import apsw

from llm_incident_manager.adapters.sql import leases
from llm_incident_manager.adapters.sqlite.statements import first, rows
from llm_incident_manager.adapters.sqlite.writer import Writer
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.leases import Lease
from llm_incident_manager.ports.processes import Beat, Process, Seen


class _Lending(Protocol):
    """What the rest of the store lends."""

    _writer: Writer


class Leased:
    """Implements ports.leases.LeaseStore and ports.processes.ProcessStore."""

    async def take_lease(self: _Lending, name: str, owner: str, now: Instant, until: Instant) -> Lease | None:
        """Takes a lease that nobody has, or that has run out by `now`; None while somebody has it."""
        return await self._writer.unit(partial(_take, name=name, owner=owner, now=now, until=until))

    async def renew_lease(self: _Lending, lease: Lease, until: Instant) -> Lease | None:
        """The lease with its new end; None when somebody else has taken it."""
        return await self._writer.unit(partial(_renew, lease=lease, until=until))

    async def release_lease(self: _Lending, lease: Lease) -> None:
        """Lets others take it at once, if it is still ours."""
        await self._writer.unit(lambda connection: rows(connection, "release_lease", (lease.name, lease.fence)))

    async def beat(self: _Lending, process: Process) -> Beat:
        """Says that the process is alive."""
        return await self._writer.unit(partial(_beat, process=process))

    async def processes(self: _Lending) -> Sequence[Seen]:
        """All that are known, the oldest first."""
        found = await self._writer.unit(lambda connection: rows(connection, "processes"))
        return [leases.seen_of(row) for row in found]

    async def bury(self: _Lending, silent_for: int) -> Sequence[str]:
        """Takes the leases away from processes silent for so many microseconds; returns their owners."""
        return await self._writer.unit(partial(_bury, silent_for=silent_for))

    async def leave(self: _Lending, owner: str) -> None:
        """Forgets a process that ends, and takes its leases away."""
        await self._writer.unit(partial(_take_away, owner=owner))


def holds(connection: apsw.Connection, lease: Lease) -> bool:
    """Whether nobody has taken the lease since."""
    return first(connection, "holds_lease", (lease.name, lease.fence)) is not None


def reset(connection: apsw.Connection) -> None:
    """Ends all leases: whoever held them has gone with its process."""
    for name in ("reset_named_leases", "reset_processes"):
        rows(connection, name)


def _take(connection: apsw.Connection, *, name: str, owner: str, now: Instant, until: Instant) -> Lease | None:
    found = rows(connection, "take_lease", {"name": name, "owner": owner, "now": now, "until": until})
    return leases.taken(found, name, owner, until)


def _renew(connection: apsw.Connection, *, lease: Lease, until: Instant) -> Lease | None:
    found = rows(connection, "renew_lease", (until, lease.name, lease.fence))
    return leases.taken(found, lease.name, lease.owner, until)


def _beat(connection: apsw.Connection, *, process: Process) -> Beat:
    ((known,),) = rows(connection, "known_process", (process.owner,))
    ((at,),) = rows(connection, "beat", leases.process_row(process))
    return Beat(Instant(at), known > 0)


def _bury(connection: apsw.Connection, *, silent_for: int) -> Sequence[str]:
    silent = [owner for (owner,) in rows(connection, "silent_processes", (silent_for,))]
    for owner in silent:
        _take_away(connection, owner)
    return silent


def _take_away(connection: apsw.Connection, owner: str) -> None:
    for name in ("free_work", "free_timers", "free_leases", "forget_process"):
        rows(connection, name, (owner,))

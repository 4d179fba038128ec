"""What this process knows to be committed, held against the database whenever a connection to it is made anew.

A failover to a standby that had not everything, or a restore beneath a running server, would otherwise be silent: the
new primary knows nothing of what is missing. It is reported, not refused: what comes now must be taken all the same.
"""

from collections.abc import Callable, Sequence
from time import monotonic  # measures an age, tells no time
from typing import NamedTuple, TypeAlias
from uuid import UUID

from asyncpg import Connection as Asyncpg
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.domain.ids import EventId, made_at
from llm_incident_manager.domain.time import SECOND, rfc3339
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.telemetry import logs

FRESH_SECONDS = 3_600.0
"""What was committed longer ago may have been deleted meanwhile, and proves nothing."""

Connection: TypeAlias = "Asyncpg[Record] | PoolConnectionProxy[Record]"


class Written(NamedTuple):
    """The newest event and timeline entry of a unit of work."""

    event: str | None
    entry: str | None


class Memory:
    """Of one process. Costs a commit nothing, and a new connection one small statement."""

    def __init__(self, report: Callable[[str], None] = lambda _: None) -> None:
        """`report` is told in words what is missing."""
        self._report = report
        self._written = Written(None, None)
        self._at = 0.0

    def note(self, written: Written) -> None:
        """A unit of work was committed."""
        event, entry = written
        if event is not None or entry is not None:
            self._written = Written(event or self._written.event, entry or self._written.entry)
            self._at = monotonic()

    async def look(self, connection: Connection) -> None:
        """Reports once if the database lacks what was committed last."""
        written = self._written
        if written == (None, None) or monotonic() - self._at > FRESH_SECONDS:
            return
        row = await connection.fetchrow(SQL["still_there"], *written)
        assert row is not None
        whole, newest = row
        if not whole and written == self._written:
            self._written = Written(None, None)
            text = missing(written, newest)
            logs.get("postgres").error("record.missing", what=text)
            self._report(text)


def written_by(changes: Sequence[Changes]) -> Written:
    """The newest of what these write."""
    events = [row.id for each in changes for row in each.events]
    entries = [entry.id for each in changes for entry in each.timeline]
    return Written(max(events, default=None), max(entries, default=None))


def missing(written: Written, newest: UUID | None) -> str:
    """What is missing, as far as this process can know, and what to do."""
    last = max(made_at(id_) for id_ in written if id_ is not None)
    what = f"acknowledged work is missing: the database lacks what this process committed at {rfc3339(last)}"
    remedy = "do not go back to the old primary; producers that resend from before fill the gap"
    if newest is None:
        return f"{what} and has no events at all: {remedy}"
    kept = made_at(EventId(str(newest)))
    lost = max(0.0, (last - kept) / SECOND)
    return f"{what}; its newest event is of {rfc3339(kept)}, so up to {lost:.1f} s are lost: {remedy}"

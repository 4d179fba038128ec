"""Timers: rows that are due at a moment. They outlive the process, and of several processes one acts on each.

A timer is claimed by a lease, and what follows from it is written in one transaction with its end, which checks that
the lease is still ours. Whoever works on an incident and on its timers locks the incident first.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timers import TimerKind


class TimerKey(NamedTuple):
    """Names a timer: an incident has at most one timer under a name."""

    incident_id: IncidentId
    key: str


class TimerRow(NamedTuple):
    """A timer. Setting it again replaces it. `fence` begins with the moment it is set, and counts the times it is set
    or leased from there: whoever knows a number of before, or of an earlier timer of the name, can change nothing."""

    incident_id: IncidentId
    key: str
    tenant: TenantId
    kind: TimerKind
    due_at: Instant
    created_at: Instant
    attempts: int = 0
    last_error: str = ""
    fence: int = 0


class TimerRetry(NamedTuple):
    """A timer whose work failed: nobody claims it before `not_before`. It stays due since the moment it was set for."""

    incident_id: IncidentId
    key: str
    fence: int
    attempts: int
    not_before: Instant
    error: str


class Overdue(NamedTuple):
    """How many timers are due and not done, and when the first of them was due."""

    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    since: Instant | None


class HeldTimers(NamedTuple):
    """Those of claimed timers that are still ours, and the incidents of all of them that exist, by id."""

    timers: Sequence[TimerRow]
    incidents: Mapping[IncidentId, Incident]


class TimerLeases(Protocol):
    """What a unit of work knows of timers."""

    async def hold_timers(self, rows: Sequence[TimerRow]) -> HeldTimers:
        """Locks the incidents of claimed timers in the order of their ids, and then those timers that nobody has ended,
        set or claimed since. The fingerprints that the incidents hold are not locked: who calls this lets go of none.
        """
        ...


class TimerStore(Protocol):
    """What a store knows of timers."""

    async def claim_timers(self, owner: str, now: Instant, lease_until: Instant, limit: int) -> Sequence[TimerRow]:
        """Leases timers that are due, the longest due first."""
        ...

    async def next_timer(self, now: Instant) -> Instant | None:
        """When the first timer is due that is not due yet; None when there is none."""
        ...

    async def time(self) -> Instant | None:
        """The database's clock; None where it is this machine's."""
        ...

    async def overdue_timers(self, now: Instant) -> Overdue:
        """The timers that are due and not done, leased or not."""
        ...

"""Leases: the right to do what only one process may do at a time. Whoever has one knows its fence.

A lease runs out unless it is renewed. Its holder may not notice, since a process can stand still at any moment: so work
that only the holder may do asks `holds` in its own transaction, which fails once somebody else has taken the lease.
"""

from typing import NamedTuple, Protocol

from llm_incident_manager.domain.time import Instant


class Lease(NamedTuple):
    """A lease as its holder knows it. `fence` grows when somebody takes it, or takes it away."""

    name: str
    owner: str
    fence: int
    until: Instant


class LeaseHolding(Protocol):
    """What a unit of work knows of leases."""

    async def holds(self, lease: Lease) -> bool:
        """Whether nobody has taken the lease since; nobody can until the end of this unit of work.

        One that has run out and that nobody wanted still counts.
        """
        ...


class LeaseStore(Protocol):
    """What a store knows of leases."""

    async def take_lease(self, name: str, owner: str, now: Instant, until: Instant) -> Lease | None:
        """Takes a lease that nobody has, or that has run out by `now`; None while somebody has it.

        Raises KeyTaken when somebody works under it just now.
        """
        ...

    async def renew_lease(self, lease: Lease, until: Instant) -> Lease | None:
        """The lease with its new end; None when somebody else has taken it. Raises KeyTaken as `take_lease` does."""
        ...

    async def release_lease(self, lease: Lease) -> None:
        """Lets others take it at once, if it is still ours."""
        ...

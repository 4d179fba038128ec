"""Work after the commit, as the store lends it: leased, fenced, and of each lane only the oldest row."""

from collections.abc import Sequence
from typing import Protocol

from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.changes import OutboxRow


class WorkStore(Protocol):
    """What a store is asked about work. Transactions check leases, and end work; see `Transaction.still_leased`."""

    async def claim_work(
        self,
        topic: str,
        owner: str,
        now: Instant,
        lease_until: Instant,
        limit: int,
        made_before: Instant | None = None,
    ) -> Sequence[OutboxRow]:
        """Leases due outbox rows of a topic: of each lane only the oldest unfinished one, in order of ids.

        With `made_before` only rows that were written by then: somebody else may be about to bring the newer ones.
        """
        ...

    async def claim_rows(
        self, topic: str, owner: str, now: Instant, lease_until: Instant, ids: Sequence[str]
    ) -> Sequence[OutboxRow]:
        """The same of these rows only. Those that are done, leased, not due within a quarter of a second (whoever named
        them may have another clock), or behind others of their lane are left out."""
        ...

    async def backlog(self, topic: str) -> tuple[int, Instant | None]:
        """How many live rows a topic has and when the oldest was created."""
        ...

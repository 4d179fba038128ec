"""Idempotency keys that other processes of the same database have seen: a cache, which may know some."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.changes import IdempotencyRow

Name = tuple[TenantId, str]
"""A tenant and an idempotency key of one of its events."""


class Incarnate(Protocol):
    """A unit of work that tells which database it works on."""

    async def incarnation(self) -> str:
        """What tells this database, as it is now, from every one that may lack what it has committed: another one, one
        that was restored, a standby that took over."""
        ...


class SharedSeen(Protocol):
    """What processes tell each other of committed events. Never fails: what it cannot answer it does not know."""

    async def find(self, incarnation: str, names: Sequence[Name]) -> Mapping[Name, IdempotencyRow]:
        """The known ones among the names, as long as they were kept for the same incarnation of the database."""
        ...

    async def keep(self, incarnation: str, rows: Sequence[IdempotencyRow]) -> None:
        """Lets others know rows that are committed, for about a minute."""
        ...

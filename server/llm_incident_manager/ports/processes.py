"""The processes of a deployment: each says from time to time that it is alive. Who falls silent loses its leases."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from llm_incident_manager.domain.time import Instant


class Process(NamedTuple):
    """A process as it describes itself. `owner` is its name in leases, unique to this start of it."""

    owner: str
    roles: tuple[str, ...]
    version: str
    started_at: Instant


class Seen(NamedTuple):
    """A process, and how many microseconds ago it last said that it is alive, by the database's clock."""

    process: Process
    silent_for: int


class Beat(NamedTuple):
    """What the database answers to a sign of life: its own clock, and whether it knew the process."""

    at: Instant
    known: bool


class ProcessStore(Protocol):
    """What a store knows of processes. It measures silence by the database's clock, the same for all of them."""

    async def beat(self, process: Process) -> Beat:
        """Says that the process is alive."""
        ...

    async def processes(self) -> Sequence[Seen]:
        """All that are known, the oldest first."""
        ...

    async def bury(self, silent_for: int) -> Sequence[str]:
        """Takes all leases away from processes that have been silent for so many microseconds; returns their owners.

        Fences move on, so that whoever wakes up again can finish nothing. A process is forgotten once it has no leases
        left; what is locked just now is left for later.
        """
        ...

    async def leave(self, owner: str) -> None:
        """Forgets a process that ends, and takes its leases away as `bury` does."""
        ...

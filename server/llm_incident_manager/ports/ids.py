"""The only source of new identifiers."""

from collections.abc import Sequence
from typing import Protocol

from llm_incident_manager.domain.time import Instant


class Ids(Protocol):
    """Makes time-ordered UUIDv7 strings."""

    def new(self, now: Instant) -> str:
        """One id; later calls give larger ones."""
        ...

    def consecutive(self, now: Instant, count: int) -> Sequence[str]:
        """`count` ids whose 128-bit values follow each other without a gap, so that a run is named by its first."""
        ...

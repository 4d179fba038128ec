"""The only source of time. Everything that asks "when" takes it from here or gets it as an argument."""

from typing import Protocol

from llm_incident_manager.domain.time import Instant


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> Instant:
        """The current instant."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits; under virtual time this costs nothing."""
        ...

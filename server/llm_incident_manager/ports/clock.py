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


class Steady(Clock, Protocol):
    """A clock that runs evenly, whatever the system's clock is set to, and can be put right."""

    def wall(self) -> Instant:
        """What the system's clock says."""
        ...

    def shift(self, micros: int) -> None:
        """Sets the clock forward, or back, at once."""
        ...

    def slew(self, micros: int) -> None:
        """Makes up for a difference, so slowly that nobody notices; replaces an earlier one."""
        ...

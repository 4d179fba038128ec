"""How many a second there were lately."""

from llm_incident_manager.engines.pacing import Pace
from llm_incident_manager.ports.clock import Clock


class Meter:
    """Counts as it is told."""

    def __init__(self, clock: Clock) -> None:
        """Nothing has come."""
        self._clock = clock
        self._pace = Pace()

    def add(self, count: int) -> None:
        """So many have come."""
        if count:
            self._pace = self._pace.after(count, self._clock.now())

    def per_second(self) -> float:
        """The pace of now."""
        return self._pace.per_second(self._clock.now())

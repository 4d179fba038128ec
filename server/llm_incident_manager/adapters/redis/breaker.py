"""Decides whether Redis is asked at all. A value: whoever holds it replaces it by what each outcome makes of it."""

from dataclasses import dataclass, replace

BURDEN = 4
"""What a failure adds to the strain; an answer takes 1 away: one failure in five is borne for good."""
LIMIT = 3 * BURDEN
"""Strain at which the breaker opens: three failures in a row."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed, it lets everybody through. Open, nobody but the probe, so that no caller waits for a Redis that is gone.

    `why` tells what the last failure was.
    """

    strain: int = 0
    opened: bool = False
    why: str = ""

    def answered(self) -> "Breaker":
        """After an answer to a caller. One that was still under way does not close it: the probe decides that."""
        if self.opened or not self.strain:
            return self
        return replace(self, strain=self.strain - 1)

    def failed(self, why: str) -> "Breaker":
        """After a command that got no answer in time, or was refused by a Redis that cannot work."""
        strain = min(self.strain + BURDEN, LIMIT)
        return Breaker(strain, self.opened or strain >= LIMIT, why)

    def probed(self) -> "Breaker":
        """After the probe got its answer: half trusted if it had failed, so that one more failure opens it again."""
        return Breaker(max(0, self.strain - BURDEN)) if self.opened else self.answered()


NOT_REACHED = Breaker(opened=True, why="it was not reached yet")
"""How it starts."""

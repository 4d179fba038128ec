"""What everything in a run shares: the loop, the time, what the seed decides, the trace, and what was found wrong."""

import hashlib
from collections import deque
from collections.abc import Sequence

from llm_incident_manager.domain.time import SECOND, Instant
from simulation.chance import Chance
from simulation.loop import LANE, VirtualLoop

START = Instant(1_795_298_100_000_000)
"""2026-11-21T21:55:00Z: late enough that many runs see midnight."""

LAST = 400
"""Lines of the trace that are kept."""


class World:
    """One run. The trace is everything that happened, in order; its digest tells whether two runs were the same."""

    def __init__(self, seed: int) -> None:
        """Nothing has happened yet."""
        self.chance = Chance(seed)
        self.loop = VirtualLoop.drawing_from(self.chance.stream("order"))
        self.leapt = 0
        self.leaps: list[int] = []
        self.violations: list[str] = []
        self._digest = hashlib.blake2b(digest_size=16)
        self._lines: deque[str] = deque(maxlen=LAST)

    @property
    def now(self) -> Instant:
        """The true time."""
        return Instant(START + int(self.loop.time() * SECOND) + self.leapt)

    def leap(self, micros: int) -> None:
        """Sets all clocks forward or back at once."""
        self.leapt += micros
        self.leaps.append(micros)
        self.trace(f"all clocks leap by {micros / SECOND:.1f} s")

    def trace(self, text: str) -> None:
        """Adds a line."""
        lane = LANE.get(None)
        line = f"{self.loop.time():10.4f} {lane.name if lane else '-':<12} {text}"
        self._digest.update(line.encode())
        self._lines.append(line)

    def found(self, invariant: str, text: str) -> None:
        """Something that must hold does not."""
        self.violations.append(f"{invariant}: {text}")
        self.trace(f"!! {invariant}: {text}")

    @property
    def lines(self) -> Sequence[str]:
        """The end of the trace."""
        return tuple(self._lines)

    @property
    def digest(self) -> str:
        """Of the whole trace."""
        return self._digest.hexdigest()

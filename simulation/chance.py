"""What a seed decides: how long things take, what fails and how often. Each part draws from a sequence of its own."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

LIKELY = (0.0, 0.0, 0.01, 0.05, 0.2)
"""How likely a fault may be in a run. That some runs lack it lets the others go deep."""

OFTEN = (0.0, 0.0, 0.05, 0.2, 0.4)
"""The same for what there are few occasions for."""

RARE = frozenset({"claim.frozen", "work.twice", "channel.hangs", "channel.unheard"})

FAULTS = (
    "store.refused",  # the database fails before it has done anything
    "store.unknown",  # it has done it, and the answer is lost
    "store.taken",  # another transaction was quicker
    "store.slow",  # seconds instead of milliseconds
    "network.request",  # a request is lost on its way
    "network.reply",  # the reply is
    "network.twice",  # a request arrives twice
    "network.slow",
    "client.gone",  # a client stops waiting, and the call is cancelled
    "wake.lost",  # nobody hears that there is work
    "wake.twice",
    "wake.late",
    "carrier.away",  # what carries work between servers does not answer
    "carrier.flushed",  # it has forgotten everything
    "claim.frozen",  # a server freezes, longer than its lease, with work that it has just claimed
    "work.twice",  # rows that were claimed once come to the handler again, with their old fence
    "channel.error",
    "channel.refused",
    "channel.hangs",
    "channel.defect",
    "channel.unheard",  # the message was delivered, and the answer is lost
)


class Chance:
    """Everything that one seed decides."""

    def __init__(self, seed: int) -> None:
        """Draws how likely each fault is in this run."""
        self.seed = seed
        self._draw = self.stream("faults")
        self.likely = {fault: self._draw.choice(OFTEN if fault in RARE else LIKELY) for fault in FAULTS}
        self.calm = False
        """No fault happens any more."""

    def stream(self, name: str) -> Random:
        """A sequence of its own, so that drawing more in one part changes nothing in another."""
        return Random(f"{self.seed}:{name}")

    def happens(self, fault: str) -> bool:
        """Whether it happens now."""
        likely = self.likely[fault]
        return likely > 0 and not self.calm and self._draw.random() < likely

    def latency(self, slow: str, mean: float = 0.002) -> float:
        """Seconds that a step takes; now and then, when the fault `slow` happens, some seconds."""
        if self.happens(slow):
            return self._draw.uniform(0.5, 7.0)
        return self._draw.expovariate(1 / mean)

    def between(self, low: float, high: float) -> float:
        """A number in that range."""
        return self._draw.uniform(low, high)

    def choice(self, of: Sequence[T]) -> T:
        """One of them."""
        return self._draw.choice(of)

"""What a load process measures: when its window was, what was acknowledged in it, and how long that took."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, TypeVar

QUANTILES = (0.50, 0.95, 0.99)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spec:
    """A load.

    `kind`: frames, unary, rest, watch, socket, socket_watch, or start. `echo`: the peer is a floor, which sends back
    what it gets. `events`: made beforehand; the load ends early when it has used them up. `rate`: events a second on a
    schedule; 0 sends whenever fewer than `in_flight` (events on each stream, or calls) wait for their answer. `groups`:
    into how many the watchers are divided, each of which is told of its own incidents; 0 tells all of all. `channels`:
    connections that the streams of frames are dealt out to. `papers`: the folder that `init` wrote, with what a caller
    shows; empty: the server asks for nothing.
    """

    kind: str
    address: str = ""
    echo: bool = False
    new_every: int = 100
    keys: bool = False
    seconds: float = 8.0
    warm_up: float = 1.5
    events: int = 0
    rate: float = 0.0
    in_flight: int = 128
    streams: int = 1
    frame_events: int = 1
    groups: int = 0
    channels: int = 1
    papers: str = ""

    @property
    def lasts(self) -> float:
        """Seconds from the first event to the last."""
        return self.warm_up + self.seconds


def supply(spec: Spec, prepared: Sequence[T]) -> Iterator[T]:
    """What is sent, in order; a floor, which keeps nothing, may get it again and again."""
    return cycle(prepared) if spec.echo else iter(prepared)


@dataclass(slots=True)
class Recorder:
    """Counts and times while the load runs. Times are seconds of `perf_counter`."""

    starts: float
    ends: float
    sent: int = 0
    acknowledged: int = 0
    in_window: int = 0
    last: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    samples: list[tuple[float, int]] = field(default_factory=list)

    def done(self, at: float, due: Iterable[tuple[float, int]]) -> None:
        """Events answered now: when each group of them was due, or sent, and how many they were."""
        for since, count in due:
            self.acknowledged += count
            self.in_window += count * (self.starts <= at < self.ends)
            if self.starts <= since < self.ends:
                self.samples.append((at - since, count))
        self.last = at

    def result(self) -> dict[str, Any]:
        """For the process that started this one."""
        seconds = min(self.ends, self.last) - self.starts
        return {
            "seconds": seconds,
            "sent": self.sent,
            "acknowledged": self.acknowledged,
            "in_window": self.in_window,
            "milliseconds": [round(1000 * value, 2) for value in quantiles(self.samples)],
            "outcomes": dict(self.outcomes),
            "errors": dict(self.errors),
        }


def window(spec: Spec, now: float) -> Recorder:
    """A recorder for a load that starts now."""
    return Recorder(now + spec.warm_up, now + spec.lasts)


def quantiles(samples: Sequence[tuple[float, int]]) -> list[float]:
    """The values below which QUANTILES of the weights lie; nothing when there are no samples."""
    ordered = sorted(samples)
    total = sum(weight for _, weight in ordered)
    found: list[float] = []
    passed, wanted = 0, list(QUANTILES)
    for value, weight in ordered:
        passed += weight
        while wanted and passed >= wanted[0] * total:
            found.append(value)
            del wanted[0]
    return found

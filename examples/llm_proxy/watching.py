"""What is worth an event: error rate, latency and cost of each model in a sliding window. Pure: time is an argument."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Problem(StrEnum):
    """What can be wrong with the calls of a model."""

    ERRORS = "error_rate"
    LATENCY = "latency_slo"
    COST = "cost_spike"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on something is a problem. Nothing is said about a window with fewer than `least_calls`."""

    window_seconds: float = 60.0
    least_calls: int = 20
    error_ratio: float = 0.2
    latency_p95_seconds: float = 8.0
    cost_per_hour: float = 50.0

    def limit(self, problem: Problem) -> float:
        """The threshold of a problem."""
        return {
            Problem.ERRORS: self.error_ratio,
            Problem.LATENCY: self.latency_p95_seconds,
            Problem.COST: self.cost_per_hour,
        }[problem]


@dataclass(frozen=True, slots=True)
class Call:
    """One call that is over: when, how it ended, how long it took, what it cost in US dollars."""

    at: float
    failed: bool
    seconds: float
    cost: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """A problem begins, or is over."""

    model: str
    problem: Problem
    begins: bool
    measured: float
    limit: float


def measure(calls: Iterable[Call], thresholds: Thresholds) -> dict[Problem, float]:
    """The figures of a window; empty when there are too few calls to say anything."""
    seen = list(calls)
    if len(seen) < max(thresholds.least_calls, 1):
        return {}
    times = sorted(call.seconds for call in seen)
    return {
        Problem.ERRORS: sum(call.failed for call in seen) / len(seen),
        Problem.LATENCY: times[min(len(times) - 1, int(len(times) * 0.95))],
        Problem.COST: sum(call.cost for call in seen) * 3600 / thresholds.window_seconds,
    }


@dataclass(slots=True)
class Watch:
    """Remembers the calls of each model for a window, and which problems have begun."""

    thresholds: Thresholds
    _calls: dict[str, deque[Call]] = field(default_factory=dict)
    _begun: set[tuple[str, Problem]] = field(default_factory=set)

    def saw(self, model: str, call: Call) -> list[Change]:
        """What changes with a call that is over."""
        calls = self._calls.setdefault(model, deque())
        calls.append(call)
        while calls[0].at < call.at - self.thresholds.window_seconds:
            calls.popleft()
        changes = []
        for problem, measured in measure(calls, self.thresholds).items():
            limit = self.thresholds.limit(problem)
            if (measured >= limit) != ((model, problem) in self._begun):
                self._begun ^= {(model, problem)}
                changes.append(Change(model, problem, measured >= limit, measured, limit))
        return changes

    def ratios(self) -> dict[str, float]:
        """The share of failed calls of each model in its window."""
        return {model: sum(call.failed for call in calls) / len(calls) for model, calls in self._calls.items() if calls}

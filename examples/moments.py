"""The grammar of the stories: moments of a day, alone, spread over a while, and repeated.

A story yields moments: seconds since the day began and the fields of an event. Same seed, same day.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Fields = Mapping[str, Any]
Moment = tuple[float, Fields]
Story = Callable[[random.Random], Iterator[Moment]]

EDGE, SHIELD, SENTINEL, GOVERNANCE = "llm-edge-agent", "llm-shield", "llm-sentinel", "llm-governance-core"
SERVICES = ("support-bot", "search-answers", "code-review", "contract-reader")


def at(clock: str) -> float:
    """Seconds since midnight of HH:MM or HH:MM:SS."""
    hours, minutes, seconds = (clock + ":0:0").split(":")[:3]
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def spread(rng: random.Random, start: str, end: str, count: int) -> list[float]:
    """Random moments between two times of the day, in order."""
    return sorted(rng.uniform(at(start), at(end)) for _ in range(count))


def repeated(rng: random.Random, start: str, end: str, count: int, fields: Fields) -> Iterator[Moment]:
    """The same event at random moments."""
    return ((when, fields) for when in spread(rng, start, end, count))


def slow(
    rng: random.Random, start: str, end: str, count: int, seconds: tuple[float, float], where: Fields
) -> Iterator[Moment]:
    """Latencies over the objective, between the two `seconds`."""
    for when in spread(rng, start, end, count):
        latency = round(rng.uniform(*seconds), 1)
        yield (
            when,
            {
                "source": SENTINEL,
                "title": f"p95 latency {latency} s, objective 4 s",
                "kind": "latency_slo",
                "severity": "high",
                "environment": "production",
                **where,
                "metrics": {"latency_p95_seconds": latency},
            },
        )

"""Decides what becomes of a worker process that has ended by itself."""

from dataclasses import dataclass

QUICK_SECONDS = 10.0
"""Who ends sooner than this after its start has not really worked."""
MOST_QUICK = 5
FIRST_DELAY = 0.5
LONGEST_DELAY = 30.0


@dataclass(frozen=True, slots=True)
class Again:
    """Start it again after so many seconds; `quick` counts the quick ends in a row."""

    delay: float
    quick: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It does not work: whoever watches over all of us has to know."""

    why: str


def decide(lived: float, quick: int) -> Again | GiveUp:
    """For a worker that ended after `lived` seconds, and after `quick` quick ends in a row before this one."""
    if lived >= QUICK_SECONDS:
        return Again(FIRST_DELAY, 0)
    quick += 1
    if quick >= MOST_QUICK:
        return GiveUp(f"it ended {quick} times in a row within {QUICK_SECONDS:g} s of its start")
    return Again(min(LONGEST_DELAY, FIRST_DELAY * 2**quick), quick)

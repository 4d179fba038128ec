"""How often something may happen: a steady rate with a burst, decided by GCRA. One number is all the state there is.

That number is when the bucket will be full again. Taking pushes it on; it is allowed while it lies at most a whole
burst ahead of now.
"""

import math
from dataclasses import dataclass

from llm_incident_manager.domain.time import SECOND, Instant

PRECISION = 0.5
"""Microseconds. A state is a double of microseconds since 1970, exact to a quarter of one."""

EMPTY_STATE = 0.0
"""The state of a bucket that nobody has taken from: full."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many per second for good, and up to `burst` at once."""

    per_second: float
    burst: int

    def __post_init__(self) -> None:
        """Raises ValueError for a rate at which nothing could ever happen."""
        if self.per_second <= 0 or self.burst < 1:
            raise ValueError("a rate has more than 0 per second, and a burst of at least 1")


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether it may happen now; how many more may; and if not, after how many seconds it may be tried again."""

    allowed: bool
    remaining: int
    retry_after: float = 0.0


def take(full_at: float, now: Instant, rate: Rate, cost: int) -> tuple[Permit, float]:
    """The permit for `cost` at once, and the state after it (microseconds; unchanged when refused).

    More than a burst at once is let through when the bucket is full, and the debt is waited off afterwards: so a large
    batch is slow, but never refused for ever, and the rate holds all the same.
    """
    ahead = max(full_at - now, 0.0)
    if _over(ahead, rate, cost) > PRECISION:
        return permit(ahead, rate, cost, allowed=False), full_at
    ahead += SECOND / rate.per_second * cost
    return permit(ahead, rate, cost, allowed=True), now + ahead


def give_back(full_at: float, rate: Rate, cost: int) -> float:
    """The state after what was taken is given back: as if it had not been."""
    return full_at - SECOND / rate.per_second * cost


def permit(ahead: float, rate: Rate, cost: int, *, allowed: bool) -> Permit:
    """What a bucket has decided that is full again in so many microseconds, after what was taken."""
    each = SECOND / rate.per_second
    remaining = max(0, math.floor((each * rate.burst - ahead) / each))
    return Permit(allowed, remaining, 0.0 if allowed else _over(ahead, rate, cost) / SECOND)


def _over(ahead: float, rate: Rate, cost: int) -> float:
    each = SECOND / rate.per_second
    return ahead + each * min(cost, rate.burst) - each * rate.burst

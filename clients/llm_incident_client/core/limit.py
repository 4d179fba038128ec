"""How often calls are made: a steady rate with a burst, decided by one number. No clock, no waiting.

That number is when the bucket will be full again, in seconds. Taking pushes it on by what one call costs; a call may
be made at once while it lies at most a whole burst ahead of now, and later than that after the difference.
"""

from dataclasses import dataclass

EMPTY = 0.0
"""The state of a limit that nobody has used."""
PRECISION = 1e-6
"""Seconds; a shorter wait is none."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So many calls a second for good, and up to `burst` at once. Raises ValueError for a limit that lets none through.

    Repeats of a call count as well. `wait` says what happens to a call that is too early: it waits for its turn, in
    order, unless its deadline comes first; or, without it, is refused with RateLimited.
    """

    per_second: float
    burst: int = 1
    wait: bool = True

    def __post_init__(self) -> None:
        """Refuses a rate at which nothing could ever happen."""
        if not self.per_second > 0 or self.burst < 1:
            raise ValueError(
                f"per_second is {self.per_second} and burst {self.burst}: give more than 0 a second and at least 1"
            )


@dataclass(frozen=True, slots=True)
class Turn:
    """The call may be made in `delay` seconds, and the limit's state from now on."""

    delay: float
    full_at: float


@dataclass(frozen=True, slots=True)
class TooEarly:
    """The call may not be made now; seconds until it might be. The state stays as it was."""

    retry_after: float


def take(limit: RateLimit, full_at: float, now: float, patience: float) -> Turn | TooEarly:
    """Whether a call may be made at `now`, or at most `patience` seconds later."""
    each = 1.0 / limit.per_second
    after = max(full_at, now) + each
    delay = after - now - each * limit.burst
    if delay < PRECISION:
        return Turn(0.0, after)
    if delay > (patience if limit.wait else 0.0):
        return TooEarly(delay)
    return Turn(delay, after)


def give_back(limit: RateLimit, full_at: float) -> float:
    """The state after a call that waited for its turn was not made after all."""
    return full_at - 1.0 / limit.per_second

"""Tells the time of the operating system. The only module that asks for it."""

import asyncio
import time
from collections.abc import Callable

from llm_incident_manager.domain.time import Instant

SLEWING = 1_000
"""A difference is made up for by at most one microsecond in so many."""

_TICKS = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Runs on while the machine sleeps, where the system has such a clock."""


def _ticks() -> int:
    return time.clock_gettime_ns(_TICKS)


class SystemClock:
    """The wall clock and the waiting of the running event loop."""

    def now(self) -> Instant:
        """The current instant; it may step back when the system's clock is set."""
        return Instant(time.time_ns() // 1_000)

    async def sleep(self, seconds: float) -> None:
        """Waits that long on the event loop."""
        await asyncio.sleep(seconds)


class SteadyClock:
    """A clock that starts with the wall clock and then runs evenly, however that is set. Implements ports.clock.Steady.

    With it a deadline is as far away as it was said to be, whatever an administrator or NTP does to the machine.
    """

    def __init__(self, wall: Callable[[], int] = time.time_ns, ticks: Callable[[], int] = _ticks) -> None:
        """Sources in nanoseconds: `wall` since 1970, `ticks` since whenever, never back."""
        self._wall = wall
        self._ticks = ticks
        self._base = wall() // 1_000
        self._since = ticks()
        self._slew = 0

    def now(self) -> Instant:
        """The current instant; later than all told before, unless `shift` has set it back."""
        passed = (self._ticks() - self._since) // 1_000
        most = passed // SLEWING
        return Instant(self._base + passed + max(-most, min(most, self._slew)))

    def wall(self) -> Instant:
        """What the system's clock says."""
        return Instant(self._wall() // 1_000)

    def shift(self, micros: int) -> None:
        """Sets the clock forward, or back, at once."""
        self._begin(self.now() + micros)

    def slew(self, micros: int) -> None:
        """Makes up for a difference, so slowly that nobody notices; replaces an earlier one."""
        self._begin(self.now())
        self._slew = micros

    async def sleep(self, seconds: float) -> None:
        """Waits that long on the event loop."""
        await asyncio.sleep(seconds)

    def _begin(self, base: int) -> None:
        self._base, self._since, self._slew = base, self._ticks(), 0

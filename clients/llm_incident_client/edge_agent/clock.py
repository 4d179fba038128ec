"""What time it is: the one place of the agent that asks the operating system.

A deadline is kept by two clocks: the one that runs since the machine was started, which nobody sets, and the wall
clock, which is all there is after the machine was started anew.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_SINCE_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while the machine sleeps


@dataclass(frozen=True, slots=True)
class Moment:
    """A time by both clocks, in seconds. `boot` names the run of the machine that `since_boot` belongs to."""

    wall: float
    since_boot: float
    boot: str


Clock = Callable[[], Moment]


def now() -> Moment:
    """This moment."""
    return Moment(time.time(), time.clock_gettime(_SINCE_BOOT), _boot())


def elapsed(since: Moment, until: Moment) -> float:
    """Seconds between the two; by the wall clock only over a start of the machine, and then never less than 0."""
    if since.boot and since.boot == until.boot:
        return until.since_boot - since.since_boot
    return max(0.0, until.wall - since.wall)


def _boot() -> str:
    global _known_boot  # noqa: PLW0603  # does not change while the process lives
    if _known_boot is None:
        _known_boot = _BOOT_ID.read_text("ascii").strip() if _BOOT_ID.exists() else ""
    return _known_boot


_known_boot: str | None = None

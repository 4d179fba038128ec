"""Makes UUIDv7 strings (RFC 9562): 48 bits of milliseconds, then bits that are random at first and count up within one.

Each id is larger than all before it of the same generator, also when the clock steps back. A run of consecutive ids
differs only in the last 62 bits, so that the first one and a count name it. Not for more than one thread.
"""

import secrets
from collections.abc import Callable, Sequence
from functools import lru_cache

from llm_incident_manager.domain.time import Instant

_MOST = 2**32
_LOW = 2**62  # what fits behind the variant bits
_NODE = 2**48  # what fits behind the last dash
_HEADROOM = 2**61  # a fresh random number stays below this, so that half of the field is left to count up

_DIGITS = tuple(f"{value:02x}" for value in range(256))

_Value = tuple[int, int]
"""The 60 bits before (milliseconds and 12 more) and the 62 bits behind the variant."""


class Uuid7:
    """A generator of time-ordered ids."""

    def __init__(self, bits: Callable[[int], int] = secrets.randbits) -> None:
        """Starts before all time. `bits` draws a number of so many random bits."""
        self._bits = bits
        self._last: _Value = (-1, 0)

    def new(self, now: Instant) -> str:
        """One id; larger than every one before."""
        high, low = self._last
        if now // 1_000 <= high >> 12 and low + 1 < _LOW:  # as _take does, without the call
            self._last = (high, low := low + 1)
        else:
            high, low = self._take(now, 1)
        return f"{_prefix(high, low >> 48)}{low % _NODE:012x}"

    def consecutive(self, now: Instant, count: int) -> Sequence[str]:
        """`count` ids whose 128-bit values follow each other. Raises ValueError for a count below 0 or above 2³²."""
        if not 0 <= count <= _MOST:
            raise ValueError(f"{count} consecutive ids cannot be made: ask for 0 to {_MOST}")
        if count == 0:
            return ()
        high, low = self._take(now, count)
        ids: list[str] = []
        while count > 0:  # ids of 256 share all but their last two digits
            start = low % 256
            run = min(count, 256 - start)
            prefix = f"{_prefix(high, low >> 48)}{low % _NODE >> 8:010x}"
            ids += [prefix + digits for digits in _DIGITS[start : start + run]]
            low, count = low + run, count - run
        return ids

    def _take(self, now: Instant, count: int) -> _Value:
        """Reserves `count` consecutive values above the last one and returns the first."""
        high, low = self._last
        if now // 1_000 > high >> 12:
            bits = self._bits(73)
            high, low = (now // 1_000) << 12 | bits >> 61, bits % _HEADROOM
        elif low + count < _LOW:
            low += 1
        else:
            high, low = high + 1, self._bits(61)
        self._last = (high, low + count - 1)
        return high, low


@lru_cache(maxsize=16)
def _prefix(high: int, clock: int) -> str:
    """Everything up to the last dash, version and variant included; `clock` are the 14 bits behind the variant."""
    time, more = high >> 12, high % 4_096
    return f"{time >> 16:08x}-{time % 65_536:04x}-7{more:03x}-{(2 << 14) | clock:04x}-"

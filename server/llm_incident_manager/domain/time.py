"""Time as the domain counts it: integer microseconds since the Unix epoch, UTC. Reads no clock."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NewType

Instant = NewType("Instant", int)
"""Microseconds since 1970-01-01T00:00:00Z. An int, because 25,000 of them are compared and stored each second."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(duration: timedelta) -> int:
    """A duration in microseconds, exactly."""
    return duration // _MICROSECOND


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware datetime; a naive one raises ValueError, since it names no instant."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone: add one, for instance Z")
    return Instant((moment - _EPOCH) // _MICROSECOND)


def to_datetime(instant: Instant) -> datetime:
    """The aware UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=instant)


def rfc3339(instant: Instant) -> str:
    """RFC 3339 text in UTC with microseconds, for instance 2026-11-21T20:38:51.000000Z."""
    return f"{to_datetime(instant).isoformat(timespec='microseconds').removesuffix('+00:00')}Z"


def utc_day(instant: Instant) -> str:
    """The UTC day as YYYYMMDD, as it stands in incident numbers."""
    return _day(instant // DAY)


@cache
def _day(number: int) -> str:
    return to_datetime(Instant(number * DAY)).strftime("%Y%m%d")

"""Timestamps and durations as text: RFC 3339 in UTC, and seconds with a unit. Exact to the nanosecond; no clock."""

import re
from datetime import date
from functools import lru_cache

from llm_incident_manager.transport.rest.jsoncodec.problems import Rule, wrong

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):([0-5]\d))",
    re.ASCII,
)
_SPAN = re.compile(r"(\d+)(?:\.(\d{1,9}))?(h|ms|m|s|us|µs|ns)", re.ASCII)
_UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 86_400
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # years 1 to 9999
_LONGEST = 315_576_000_000  # seconds a Duration may have
_SIXTY = tuple(f"{n:02}" for n in range(60))
_MINUTES = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(1440))  # formatting them costs a microsecond

Parts = dict[str, int]
"""`seconds` and `nanos`, as the messages hold them."""


def parse_moment(value: object) -> Parts:
    """A Timestamp from RFC 3339 text. Raises Unacceptable."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    day = _seconds_of_day(found.group(1)) if found else None
    if found is None or day is None:
        raise wrong(Rule.FORMAT, 'be an RFC 3339 time with a zone, as "2026-11-21T20:38:51Z"', value)
    seconds = day + int(found.group(2)) * 3600 + int(found.group(3)) * 60 + int(found.group(4))
    if found.group(6):
        offset = int(found.group(7)) * 3600 + int(found.group(8)) * 60
        seconds += -offset if found.group(6) == "+" else offset
    if not _FIRST <= seconds <= _LAST:
        raise wrong(Rule.RANGE, "lie in the years 0001 to 9999", value)
    return {"seconds": seconds, "nanos": int((found.group(5) or "0").ljust(9, "0"))}


@lru_cache(maxsize=64)
def _seconds_of_day(text: str) -> int | None:
    """Seconds from the epoch to the day's start; None for a day no calendar has. Events name the same few days."""
    try:
        return (date.fromisoformat(text).toordinal() - _EPOCH) * _DAY
    except ValueError:
        return None


def print_moment(seconds: int, nanos: int) -> str:
    """RFC 3339 with Z and 0, 3, 6 or 9 digits of fraction."""
    second = seconds % _DAY
    return f"{_day(seconds // _DAY)}T{_MINUTES[second // 60]}:{_SIXTY[second % 60]}{_fraction(nanos) if nanos else ''}Z"


@lru_cache(maxsize=64)
def _day(days: int) -> str:
    return date.fromordinal(days + _EPOCH).isoformat()


def parse_span(value: object) -> Parts:
    """A Duration from "90s", "1.5s" or "1h30m". Raises Unacceptable."""
    text = value if isinstance(value, str) and len(value) <= 64 else ""
    unsigned = text[1:] if text[:1] in ("-", "+") else text
    pieces = _SPAN.findall(unsigned)
    if not pieces or "".join(f"{w}{f and '.' + f}{u}" for w, f, u in pieces) != unsigned:
        raise wrong(Rule.FORMAT, 'be a duration with a unit, as "90s", "1.5s" or "1h30m"', value)
    total = sum(int(w) * _UNITS[u] + int((f or "0").ljust(9, "0")) * _UNITS[u] // 10**9 for w, f, u in pieces)
    if total > _LONGEST * 10**9:
        raise wrong(Rule.RANGE, f"be at most {_LONGEST} seconds", value)
    seconds, nanos = divmod(total, 10**9)
    sign = -1 if text.startswith("-") else 1
    return {"seconds": sign * seconds, "nanos": sign * nanos}


def print_span(seconds: int, nanos: int) -> str:
    """Seconds with "s" and 0, 3, 6 or 9 digits of fraction."""
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos))}s"


def _fraction(nanos: int) -> str:
    """ "." and 3, 6 or 9 digits; nothing for none."""
    if not nanos:
        return ""
    if nanos % 1_000:
        return f".{nanos:09}"
    return f".{nanos // 1_000:06}" if nanos % 1_000_000 else f".{nanos // 1_000_000:03}"

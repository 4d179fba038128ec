"""Times as people write them: a date or an RFC 3339 time becomes a stretch of instants. Reads no clock."""

import re
from datetime import datetime
from typing import NamedTuple

from llm_incident_manager.domain.time import DAY, Instant, from_datetime

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)

FIRST_YEAR, LAST_YEAR = 1900, 9998
REMEDY = 'write a date such as "2026-11-21" or an RFC 3339 time such as "2026-11-21T20:38:51Z"'


class Moment(NamedTuple):
    """What a text means, from `first` to before `after`: a date is its UTC day, a time is one microsecond."""

    first: Instant
    after: Instant


def parse(text: str) -> Moment:
    """The moment of a date or an RFC 3339 time; digits beyond microseconds are dropped.

    Raises ValueError with a sentence that says what is wrong and what to write.
    """
    try:
        moment = _day(text) if _DATE.fullmatch(text) else _instant(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is not a time: {REMEDY}") from error
    if not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
        raise ValueError(f"{text!r} lies outside the years {FIRST_YEAR} to {LAST_YEAR}: write a time within them")
    return moment


def _day(text: str) -> Moment:
    first = from_datetime(datetime.fromisoformat(f"{text}T00:00:00+00:00"))
    return Moment(first, Instant(first + DAY))


def _instant(text: str) -> Moment:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    day, clock, fraction, zone = found.groups()
    micros = (fraction or "0")[:6].ljust(6, "0")
    first = from_datetime(datetime.fromisoformat(f"{day}T{clock}.{micros}{zone.upper()}"))
    return Moment(first, Instant(first + 1))

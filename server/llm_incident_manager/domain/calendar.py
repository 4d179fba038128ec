"""Steps of a calendar between two instants: hours, days, weeks and months of a time zone. Reads no clock."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from llm_incident_manager.domain.time import HOUR, Instant, from_datetime, micros, to_datetime

MOST_STEPS = 750
"""A month of hours, two years of days."""


class Interval(StrEnum):
    """How long a step is."""

    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


class Run(NamedTuple):
    """Steps of equal width that follow each other: from `start` to before `end`, the first of them being `number`."""

    start: Instant
    end: Instant
    width: int
    number: int


def steps(start: Instant, end: Instant, interval: Interval, zone: tzinfo) -> tuple[Instant, ...]:
    """Where the steps begin, and where the last one ends: `start`, then each beginning of an hour, day, week or month
    of the zone, and `end`. Raises ValueError when they are more than MOST_STEPS, or `end` is not later."""
    if not start < end:
        raise ValueError("there is nothing between its start and its end: give an end that is later")
    found = [start]
    for each in _beginnings(start, interval, zone):
        if each >= end:
            break
        if each > found[-1]:
            found.append(each)
        if len(found) > MOST_STEPS:
            size = f"these are more than {MOST_STEPS} steps of one {interval.lower()}"
            raise ValueError(f"{size}: choose longer ones, or a shorter span")
    return (*found, end)


def runs(boundaries: Sequence[Instant]) -> tuple[Run, ...]:
    """The same steps as few runs: what a database can count with."""
    found: list[Run] = []
    for number, (first, after) in enumerate(pairwise(boundaries)):
        width = after - first
        if found and found[-1].width == width:
            found[-1] = found[-1]._replace(end=after)
        else:
            found.append(Run(first, after, width, number))
    return tuple(found)


def midnight(day: date, zone: tzinfo) -> Instant:
    """Where a day begins in a zone."""
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=zone))


def _beginnings(start: Instant, interval: Interval, zone: tzinfo) -> Iterator[Instant]:
    """The beginnings of steps from the one that `start` lies in on, without end."""
    if interval is Interval.HOUR:
        yield from _hours(start, zone)
        return
    day = to_datetime(start).astimezone(zone).date()
    if interval is Interval.WEEK:
        day -= timedelta(days=day.weekday())
    elif interval is Interval.MONTH:
        day = day.replace(day=1)
    while True:
        yield midnight(day, zone)
        day = _next(day, interval)


def _next(day: date, interval: Interval) -> date:
    if interval is Interval.MONTH:
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if interval is Interval.WEEK else 1)


def _hours(start: Instant, zone: tzinfo) -> Iterator[Instant]:
    """Whole hours as clocks of the zone show them; one that is shown twice is two."""
    at = start
    while True:
        ahead = to_datetime(at).astimezone(zone).utcoffset() or timedelta()
        at = Instant(at + HOUR - (at + micros(ahead)) % HOUR)
        yield at

"""Steps of a calendar: whole hours, days, weeks and months of a zone, whatever its clocks do."""

from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain import calendar
from llm_incident_manager.domain.calendar import Interval
from llm_incident_manager.domain.time import DAY, HOUR, Instant, from_datetime, to_datetime

BERLIN, KOLKATA, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")
ZONES = [UTC, BERLIN, KOLKATA, LORD_HOWE, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Pacific/Apia")]


def at(text: str) -> Instant:
    return from_datetime(datetime.fromisoformat(text))


def texts(boundaries: tuple[Instant, ...], zone: tzinfo) -> str:
    return ", ".join(to_datetime(each).astimezone(zone).strftime("%d %H:%M") for each in boundaries)


H, D, W, M = Interval
CASES = [
    ("hours", H, UTC, "2026-03-01T10:20Z", "2026-03-01T12:00Z", "01 10:20, 01 11:00, 01 12:00"),
    ("hours of India", H, KOLKATA, "2026-03-01T10:20Z", "2026-03-01T11:40Z", "01 15:50, 01 16:00, 01 17:00, 01 17:10"),
    ("a short day", D, BERLIN, "2026-03-28T23:00Z", "2026-03-30T22:00Z", "29 00:00, 30 00:00, 31 00:00"),
    ("Mondays", W, UTC, "2026-11-18T00:00Z", "2026-12-01T00:00Z", "18 00:00, 23 00:00, 30 00:00, 01 00:00"),
    ("months", M, UTC, "2026-01-15T00:00Z", "2026-03-01T00:00Z", "15 00:00, 01 00:00, 01 00:00"),
]


@pytest.mark.parametrize(
    ("interval", "zone", "start", "end", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_steps(interval: Interval, zone: tzinfo, start: str, end: str, expected: str) -> None:
    assert texts(calendar.steps(at(start), at(end), interval, zone), zone) == expected


def test_an_hour_that_is_shown_twice_is_two() -> None:
    found = calendar.steps(at("2026-10-25T00:00Z"), at("2026-10-25T03:00Z"), Interval.HOUR, BERLIN)
    assert texts(found, BERLIN) == "25 02:00, 25 02:00, 25 03:00, 25 04:00"


@given(st.integers(0, 4_000_000_000), st.integers(1, 700 * 24), st.sampled_from(Interval), st.sampled_from(ZONES))
def test_steps_follow_each_other_and_their_runs_are_the_same(
    first: int, hours: int, interval: Interval, zone: tzinfo
) -> None:
    start = Instant(first * 1_000_000)
    end = Instant(start + (min(hours, 700) if interval is Interval.HOUR else hours) * HOUR)
    boundaries = calendar.steps(start, end, interval, zone)
    assert (boundaries[0], boundaries[-1]) == (start, end)
    assert list(boundaries) == sorted(set(boundaries))
    numbered = {
        number: each
        for run in calendar.runs(boundaries)
        for number, each in enumerate(range(run.start, run.end, run.width), run.number)
    }
    assert numbered == dict(enumerate(boundaries[:-1]))
    assert all(after - before <= 32 * DAY for before, after in pairwise(boundaries))


def test_too_many_steps_and_none_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 750 steps of one hour"):
        calendar.steps(Instant(0), Instant(751 * HOUR), Interval.HOUR, UTC)
    with pytest.raises(ValueError, match="more than 750 steps"):
        calendar.steps(Instant(0), Instant(10**17), Interval.HOUR, UTC)
    assert len(calendar.steps(Instant(0), Instant(750 * HOUR), Interval.HOUR, UTC)) == 751
    with pytest.raises(ValueError, match="give an end that is later"):
        calendar.steps(Instant(5), Instant(5), Interval.DAY, UTC)

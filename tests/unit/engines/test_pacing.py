"""How long the work after the commit rests between two rounds, and how fast things come."""

import pytest

from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines import pacing
from llm_incident_manager.engines.pacing import Load, Pace, Why
from tests.support.builders import NOW

QUIET = Load(pressed=False, rows_per_second=0, events_per_second=0)


@pytest.mark.parametrize(
    ("rows", "load", "seconds", "why", "ends_with_news"),
    [
        # Nothing was due: until there is news, or the next poll.
        (0, QUIET, 1.0, Why.NOTHING_DUE, True),
        # Even a pressed server has nothing to pause from.
        (0, QUIET._replace(pressed=True), 1.0, Why.NOTHING_DUE, True),
        # Events wait: acknowledging them comes first, however much is due.
        (200, QUIET._replace(pressed=True), 0.5, Why.INGEST_FIRST, False),
        # A full round: there is more.
        (200, QUIET._replace(rows_per_second=5_000), 0.0, Why.MORE_IS_DUE, False),
        # A hundred new incidents a second are told one by one; a lane's next row is looked for soon.
        (1, QUIET._replace(rows_per_second=100, events_per_second=100), 0.02, Why.KEEPING_UP, True),
        # From there on rounds gather, the longer the more comes.
        (9, QUIET._replace(rows_per_second=575), 0.05, Why.GATHERING, False),
        (99, QUIET._replace(rows_per_second=1_000), 0.1, Why.GATHERING, False),
        (199, QUIET._replace(rows_per_second=9_000), 0.1, Why.GATHERING, False),
        # A storm of events with few new incidents: rounds must not cost what acknowledging needs.
        (2, QUIET._replace(rows_per_second=100, events_per_second=10_000), 0.1, Why.GATHERING, False),
    ],
)
def test_a_rest_follows_from_what_was_done_and_what_else_there_is(
    rows: int, load: Load, seconds: float, why: Why, ends_with_news: bool
) -> None:
    rest = pacing.decide(rows, 200, load, 1.0)
    assert rest.seconds == pytest.approx(seconds)
    assert (rest.why, rest.ends_with_news) == (why, ends_with_news)


@pytest.mark.parametrize("per_second", [50, 100, 1_000])
def test_a_steady_pace_is_told_as_it_is(per_second: int) -> None:
    pace, now = Pace(), NOW
    for _ in range(5 * per_second):
        now = Instant(now + SECOND // per_second)
        pace = pace.after(1, now)
    assert pace.per_second(now) == pytest.approx(per_second, rel=0.05)


def test_a_pace_is_forgotten() -> None:
    pace = Pace().after(1_000, NOW)
    assert pace.per_second(Instant(NOW + 5 * SECOND)) < 10
    assert pace.per_second(Instant(NOW - SECOND)) == 1_000, "a clock that was set back makes nothing of it"

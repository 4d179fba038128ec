"""How often a client calls: the rate holds, bursts are taken, nobody waits past a deadline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_client.core import limit
from llm_incident_client.core.limit import RateLimit, TooEarly, Turn


def take(rate: RateLimit, full_at: float, now: float, patience: float = 1e9) -> Turn:
    turn = limit.take(rate, full_at, now, patience)
    assert isinstance(turn, Turn)
    return turn


def delays(rate: RateLimit, count: int, now: float = 100.0) -> list[float]:
    found, full_at = [], limit.EMPTY
    for _ in range(count):
        turn = take(rate, full_at, now)
        found.append(round(turn.delay, 6))
        full_at = turn.full_at
    return found


def test_a_burst_goes_at_once_and_the_rest_in_turn() -> None:
    assert delays(RateLimit(10, burst=3), 6) == [0, 0, 0, 0.1, 0.2, 0.3]
    assert delays(RateLimit(10), 3) == [0, 0.1, 0.2]


def test_what_was_not_used_fills_the_burst_and_no_more() -> None:
    rate = RateLimit(10, burst=2)
    turn = take(rate, take(rate, limit.EMPTY, 0.0).full_at, 1_000.0)
    assert turn.delay == 0
    assert take(rate, turn.full_at, 1_000.0).delay == 0
    assert take(rate, take(rate, turn.full_at, 1_000.0).full_at, 1_000.0).delay == pytest.approx(0.1)


def test_nobody_waits_who_would_come_too_late() -> None:
    rate = RateLimit(1)
    used = take(rate, limit.EMPTY, 0.0).full_at
    assert limit.take(rate, used, 0.0, 0.5) == TooEarly(1.0)
    assert limit.take(rate, used, 0.0, 1.0) == Turn(1.0, 2.0)


def test_without_waiting_who_is_too_early_is_told_when_to_come() -> None:
    rate = RateLimit(2, wait=False)
    used = take(rate, limit.EMPTY, 0.0).full_at
    early = limit.take(rate, used, 0.25, 1e9)
    assert early == TooEarly(0.25)
    assert take(rate, used, 0.5).delay == 0


def test_a_turn_that_is_given_back_is_the_next_ones() -> None:
    rate = RateLimit(1)
    used = take(rate, limit.EMPTY, 0.0).full_at
    waited = take(rate, used, 0.0).full_at
    assert limit.give_back(rate, waited) == used


@pytest.mark.parametrize(("per_second", "burst"), [(0, 1), (-1, 1), (1, 0), (float("nan"), 1)])
def test_a_limit_that_lets_nothing_through_is_refused(per_second: float, burst: int) -> None:
    with pytest.raises(ValueError, match="per_second is"):
        RateLimit(per_second, burst)


@given(
    rate=st.builds(RateLimit, st.floats(0.1, 1_000), st.integers(1, 20)),
    gaps=st.lists(st.floats(0.0, 2.0), min_size=1, max_size=50),
)
def test_no_stretch_of_time_has_more_calls_than_burst_and_rate_allow(rate: RateLimit, gaps: list[float]) -> None:
    now, full_at, made = 0.0, limit.EMPTY, []
    for gap in gaps:
        now += gap
        turn = take(rate, full_at, now)
        full_at = turn.full_at
        made.append(now + turn.delay)
    assert made == sorted(made), "in order"
    for first in range(len(made)):
        for last in range(first, len(made)):
            allowed = rate.burst + (made[last] - made[first]) * rate.per_second
            assert last - first + 1 <= allowed + 1e-6 * len(made)

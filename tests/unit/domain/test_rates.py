"""GCRA: what a rate lets through, and that nothing gets more than its burst and its rate together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain import rates
from llm_incident_manager.domain.rates import EMPTY_STATE, Permit, Rate
from llm_incident_manager.domain.time import SECOND, Instant

T0 = Instant(1_700_000_000 * SECOND)
FIVE = Rate(per_second=5, burst=10)


def after(taken: list[tuple[float, int]], rate: Rate = FIVE) -> list[Permit]:
    """The permits for costs taken at seconds after T0."""
    state, permits = EMPTY_STATE, []
    for seconds, cost in taken:
        permit, state = rates.take(state, Instant(T0 + round(seconds * SECOND)), rate, cost)
        permits.append(permit)
    return permits


def test_a_burst_goes_through_at_once_and_the_next_waits_its_turn() -> None:
    *burst, refused = after([(0, 1)] * 11)
    assert [permit.remaining for permit in burst] == list(range(9, -1, -1))
    assert refused == Permit(allowed=False, remaining=0, retry_after=0.2)


def test_who_comes_back_when_told_gets_through_and_who_comes_early_does_not() -> None:
    assert [permit.allowed for permit in after([(0, 10), (0.199, 1), (0.2, 1)])] == [True, False, True]


def test_a_refusal_takes_nothing() -> None:
    assert after([(0, 8), (0, 5), (0, 2)])[-1] == Permit(allowed=True, remaining=0)


def test_a_batch_larger_than_the_burst_passes_when_the_bucket_is_full_and_is_waited_off_afterwards() -> None:
    whole, early, later = after([(0, 25), (3, 1), (3.2, 1)])  # 25 cost 5 s, of which the burst's 2 s may lie ahead
    assert whole == Permit(allowed=True, remaining=0)
    assert not early.allowed
    assert early.retry_after == pytest.approx(0.2)
    assert later.allowed


def test_an_idle_bucket_holds_no_more_than_its_burst() -> None:
    assert after([(0, 1), (3600, 10), (3600, 1)])[-1].allowed is False


@pytest.mark.parametrize("wrong", [(0, 1), (-1, 1), (1, 0)])
def test_a_rate_at_which_nothing_happens_is_refused(wrong: tuple[float, int]) -> None:
    with pytest.raises(ValueError, match="a rate has more than 0 per second"):
        Rate(*wrong)


STEPS = st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(1, 10)), max_size=60)


@given(STEPS, st.sampled_from([0.5, 1.0, 7.0, 1000.0]), st.integers(10, 40))
def test_in_any_span_no_more_passes_than_the_rate_and_the_burst(
    steps: list[tuple[int, int]], per_second: float, burst: int
) -> None:
    rate, now, state = Rate(per_second, burst), T0, EMPTY_STATE
    passed: list[tuple[int, int]] = []
    for pause, cost in steps:
        now = Instant(now + pause)
        permit, state = rates.take(state, now, rate, cost)
        if permit.allowed:
            passed.append((now, cost))
        else:
            later = Instant(now + round(permit.retry_after * SECOND) + 1)
            assert rates.take(state, later, rate, cost)[0].allowed
    for first, (start, _) in enumerate(passed):
        total = 0
        for end, cost in passed[first:]:
            total += cost
            # The state is a double of microseconds since 1970, exact to a quarter of one: at 1,000/s 0.00025 events.
            assert total <= burst + per_second * (end - start) / SECOND + 0.02

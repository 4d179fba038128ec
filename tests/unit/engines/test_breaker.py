"""A destination that is gone is left alone, tried one call at a time, and called as before once it is back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines import breaker
from llm_incident_manager.engines.breaker import CLOSED, Breaker, Pass, Refuse, State, Thresholds
from tests.support.builders import NOW

USUAL = Thresholds()
PROBE = Pass(probe=True)


def after(*outcomes: bool | None, held: Breaker = CLOSED, now: Instant = NOW) -> Breaker:
    """The breaker after calls one behind the other at one moment."""
    for ok in outcomes:
        held, entered = breaker.enter(held, now, USUAL)
        assert isinstance(entered, Pass)
        held = breaker.leave(held, entered, now, USUAL, ok=ok, why="down")
    return held


def later(seconds: float) -> Instant:
    return Instant(NOW + int(seconds * SECOND))


OPEN = after(*[False] * 5)


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        # Four failures in a row are borne.
        ((False,) * 4, State.CLOSED),
        # The fifth opens it.
        ((False,) * 5, State.OPEN),
        # A success between them begins the row anew.
        ((False,) * 4 + (True,) + (False,) * 4, State.CLOSED),
        # What nobody knows the outcome of neither adds to the row nor ends it.
        ((False,) * 4 + (None,) * 9, State.CLOSED),
        ((False,) * 4 + (None, False), State.OPEN),
    ],
)
def test_failures_in_a_row_open_it(outcomes: tuple[bool | None, ...], state: State) -> None:
    assert after(*outcomes).state is state


def test_open_it_says_until_when_and_why() -> None:
    held, refused = breaker.enter(OPEN, later(1), USUAL)
    assert held is OPEN
    assert isinstance(refused, Refuse)
    assert refused.until == later(60)
    assert "down" in refused.why


def test_when_its_time_is_over_one_call_tries_it_and_others_wait_for_that() -> None:
    held, entered = breaker.enter(OPEN, later(60), USUAL)
    assert (held.state, entered) == (State.HALF_OPEN, PROBE)
    _, other = breaker.enter(held, later(61), USUAL)
    assert isinstance(other, Refuse)
    assert later(61) < other.until <= later(66)


def test_two_successful_probes_close_it_and_one_does_not() -> None:
    once = after(True, held=OPEN, now=later(60))
    assert (once.state, once.count) == (State.HALF_OPEN, 1)
    assert after(True, held=once, now=later(61)) == CLOSED


def test_a_failed_probe_opens_it_for_as_long_again() -> None:
    held = after(False, held=after(True, held=OPEN, now=later(60)), now=later(70))
    _, refused = breaker.enter(held, later(129), USUAL)
    assert isinstance(refused, Refuse)
    assert refused.until == later(130)


def test_a_probe_without_outcome_lets_the_next_one_try() -> None:
    held = after(None, held=OPEN, now=later(60))
    assert breaker.enter(held, later(60), USUAL)[1] == PROBE


def test_a_probe_that_never_came_back_does_not_keep_it_half_open_for_ever() -> None:
    held, _ = breaker.enter(OPEN, later(60), USUAL)
    assert isinstance(breaker.enter(held, later(119), USUAL)[1], Refuse)
    assert breaker.enter(held, later(120), USUAL)[1] == PROBE


@pytest.mark.parametrize("ok", [True, False, None])
def test_calls_that_were_under_way_when_it_opened_change_nothing(ok: bool | None) -> None:
    assert breaker.leave(OPEN, Pass(), later(1), USUAL, ok=ok) == OPEN
    half, _ = breaker.enter(OPEN, later(60), USUAL)
    assert breaker.leave(half, Pass(), later(61), USUAL, ok=ok) == half


def test_a_clock_that_went_back_keeps_it_open_no_longer_than_its_time() -> None:
    _, refused = breaker.enter(OPEN, later(-3600), USUAL)
    assert isinstance(refused, Refuse)
    assert refused.until == later(-3540)


@given(st.lists(st.tuples(st.sampled_from([True, False, None]), st.integers(0, 90)), max_size=80))
def test_whatever_happens_a_destination_that_is_well_again_is_called_as_before(
    story: list[tuple[bool | None, int]],
) -> None:
    held, now = CLOSED, NOW
    for ok, wait in story:
        now = Instant(now + wait * SECOND)
        held, entered = breaker.enter(held, now, USUAL)
        if isinstance(entered, Pass):
            held = breaker.leave(held, entered, now, USUAL, ok=ok, why="x")
        else:
            assert held.state is not State.CLOSED
            assert now < entered.until <= now + USUAL.open_for
    for _ in range(4):
        now = Instant(now + 60 * SECOND)
        held, entered = breaker.enter(held, now, USUAL)
        if isinstance(entered, Pass):
            held = breaker.leave(held, entered, now, USUAL, ok=True)
    assert held == CLOSED

"""When the breaker opens, whom it lets through, and that it can always close again."""

from collections.abc import Callable
from datetime import timedelta

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_client.core import breaker, errors
from llm_incident_client.core.breaker import Breaker, BreakerPolicy, Refused, State

POLICY = BreakerPolicy(failures=3, minimum_calls=5, open_for=timedelta(seconds=10), trials=2, successes=2)
Code = grpc.StatusCode


def after(*outcomes: bool, start: Breaker | None = None, now: float = 0.0) -> Breaker:
    """The breaker after calls one behind the other, True for an answer."""
    current = start or Breaker()
    for answered in outcomes:
        admitted = breaker.admit(POLICY, current, now)
        assert isinstance(admitted, Breaker)
        era = admitted.era
        current = breaker.succeeded(POLICY, admitted, era) if answered else breaker.failed(POLICY, admitted, era, now)
    return current


def under_way(current: Breaker, now: float) -> Breaker:
    admitted = breaker.admit(POLICY, current, now)
    assert isinstance(admitted, Breaker)
    return admitted


OPEN = after(True, True, False, False, False)


@pytest.mark.parametrize(("outcomes", "state"), [
    ((False,) * 4, State.CLOSED),  # too few calls to judge by
    ((False,) * 5, State.OPEN),
    ((True, True, False, False, False), State.OPEN),
    ((True, True, True, False, False), State.CLOSED),  # not enough in a row
    ((True, False, False, True, False, False), State.CLOSED),  # an answer in between starts the count anew
    ((True,) * 50 + (False,) * 3, State.OPEN),
])  # fmt: skip
def test_it_opens_after_so_many_failures_in_a_row(outcomes: tuple[bool, ...], state: State) -> None:
    assert after(*outcomes).state is state


def test_while_it_is_open_nobody_gets_through_and_is_told_when_to_come_back() -> None:
    assert breaker.admit(POLICY, OPEN, 4.0) == Refused(6.0)


def test_half_open_lets_a_few_through_at_a_time() -> None:
    first = under_way(OPEN, 10.0)
    second = under_way(first, 10.0)
    assert (first.state, second.trials) == (State.HALF_OPEN, 2)
    assert breaker.admit(POLICY, second, 10.0) == Refused(0.0)


def test_enough_successes_close_it_and_forget_what_was() -> None:
    half = after(True, start=OPEN, now=10.0)
    assert half.state is State.HALF_OPEN
    closed = after(True, start=half, now=10.0)
    assert (closed.state, closed.calls, closed.failures) == (State.CLOSED, 0, 0)


def test_one_failed_trial_opens_it_for_the_whole_time() -> None:
    half = after(True, start=OPEN, now=10.0)
    again = after(False, start=half, now=11.0)
    assert (again.state, again.until) == (State.OPEN, 21.0)


def test_what_began_before_a_change_decides_nothing_afterwards() -> None:
    slow = Breaker().era
    assert breaker.succeeded(POLICY, OPEN, slow) is OPEN
    half = under_way(OPEN, 10.0)
    assert breaker.failed(POLICY, half, slow, 10.0) is half
    assert breaker.abandoned(half, slow) is half


def test_a_cancelled_trial_gives_its_place_back() -> None:
    half = under_way(under_way(OPEN, 10.0), 10.0)
    free = breaker.abandoned(half, half.era)
    assert isinstance(breaker.admit(POLICY, free, 10.0), Breaker)


def test_a_healthy_call_changes_nothing_at_all() -> None:
    healthy = after(*(True,) * 10)
    assert breaker.succeeded(POLICY, under_way(healthy, 0.0), healthy.era) is healthy


@pytest.mark.parametrize(("code", "retry_after", "broken"), [
    (Code.UNAVAILABLE, None, True), (Code.DEADLINE_EXCEEDED, None, True), (Code.INTERNAL, None, True),
    (Code.UNAVAILABLE, 1.0, False), (Code.RESOURCE_EXHAUSTED, 1.0, False), (Code.INVALID_ARGUMENT, None, False),
    (Code.UNAUTHENTICATED, None, False), (Code.ABORTED, None, False), (Code.CANCELLED, None, False),
])  # fmt: skip
def test_a_refusal_is_an_answer_and_being_asked_to_wait_is_one(
    code: grpc.StatusCode, retry_after: float | None, broken: bool
) -> None:
    assert breaker.is_breakage(errors.IncidentManagerError(code, "m", retry_after=retry_after)) is broken


@pytest.mark.parametrize(("make", "name"), [
    (lambda: BreakerPolicy(failures=0), "failures"), (lambda: BreakerPolicy(minimum_calls=0), "minimum_calls"),
    (lambda: BreakerPolicy(trials=0), "trials"), (lambda: BreakerPolicy(successes=0), "successes"),
    (lambda: BreakerPolicy(open_for=timedelta(0)), "open_for"),
])  # fmt: skip
def test_a_policy_that_could_never_work_is_refused_by_name(make: Callable[[], BreakerPolicy], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        make()


@given(
    policy=st.builds(
        BreakerPolicy, *(st.integers(1, 6),) * 2, st.just(timedelta(seconds=5)), *(st.integers(1, 6),) * 2
    ),
    outcomes=st.lists(st.sampled_from(["answer", "failure", "cancel"]), max_size=60),
    gap=st.floats(0.0, 6.0),
)
def test_whatever_happened_it_closes_once_the_target_answers(
    policy: BreakerPolicy, outcomes: list[str], gap: float
) -> None:
    current, now = Breaker(), 0.0
    for outcome in outcomes:
        now += gap
        admitted = breaker.admit(policy, current, now)
        if isinstance(admitted, Refused):
            continue
        match outcome:
            case "answer":
                current = breaker.succeeded(policy, admitted, admitted.era)
            case "failure":
                current = breaker.failed(policy, admitted, admitted.era, now)
            case _:
                current = breaker.abandoned(admitted, admitted.era)
        assert 0 <= current.trials <= policy.trials
    now += policy.open_for.total_seconds()
    for _ in range(policy.successes):
        admitted = breaker.admit(policy, current, now)
        assert isinstance(admitted, Breaker)
        current = breaker.succeeded(policy, admitted, admitted.era)
    assert current.state is State.CLOSED

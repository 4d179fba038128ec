"""What is repeated, how long it waits, and when it gives up."""

from datetime import timedelta

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_client.core import errors, retry
from llm_incident_client.core.retry import Again, Stop, Why

POLICY = retry.RetryPolicy(attempts=4, backoff=retry.Backoff(timedelta(seconds=1), timedelta(seconds=4)))
Code = grpc.StatusCode


def error(code: grpc.StatusCode, reason: str = "", retry_after: float | None = None) -> errors.IncidentManagerError:
    return errors.IncidentManagerError(code, "m", reason, retry_after=retry_after)


@pytest.mark.parametrize("code", [
    Code.CANCELLED, Code.DEADLINE_EXCEEDED, Code.ABORTED, Code.OUT_OF_RANGE, Code.UNAVAILABLE, Code.DATA_LOSS,
])  # fmt: skip
def test_codes_that_may_pass_by_themselves_are_repeated(code: grpc.StatusCode) -> None:
    assert retry.is_repeatable(error(code))


@pytest.mark.parametrize("code", [
    Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.ALREADY_EXISTS, Code.PERMISSION_DENIED, Code.UNAUTHENTICATED,
    Code.FAILED_PRECONDITION, Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNKNOWN, Code.RESOURCE_EXHAUSTED,
])  # fmt: skip
def test_refusals_are_not_repeated(code: grpc.StatusCode) -> None:
    assert not retry.is_repeatable(error(code))


def test_resource_exhausted_is_repeated_only_when_told_when() -> None:
    assert retry.is_repeatable(error(Code.RESOURCE_EXHAUSTED, "OVERLOADED", retry_after=0.5))
    assert not retry.is_repeatable(error(Code.RESOURCE_EXHAUSTED, "TOO_LARGE"))


@pytest.mark.parametrize("reason", ["STALE_ETAG", "PRODUCER_FENCED"])
def test_an_aborted_call_that_can_only_be_refused_again_is_not_repeated(reason: str) -> None:
    assert retry.decide(POLICY, error(Code.ABORTED, reason), 1, 60, 0.5) == Stop(Why.NOT_REPEATABLE)


@pytest.mark.parametrize(("failures", "ceiling"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 4.0), (5000, 4.0)])
def test_the_ceiling_doubles_up_to_its_maximum(failures: int, ceiling: float) -> None:
    assert POLICY.backoff.ceiling(failures) == ceiling


@given(failures=st.integers(1, 10_000), jitter=st.floats(0, 0.999))
def test_the_wait_lies_between_zero_and_the_ceiling(failures: int, jitter: float) -> None:
    assert 0 <= retry.wait_for(POLICY.backoff, failures, None, jitter) < POLICY.backoff.ceiling(failures)


def test_a_delay_the_service_asked_for_is_a_minimum() -> None:
    decision = retry.decide(POLICY, error(Code.UNAVAILABLE, "DRAINING", retry_after=3.0), 1, 60, 0.5)
    assert decision == Again(3.5, Why.ASKED_TO)


def test_the_last_attempt_is_final() -> None:
    assert isinstance(retry.decide(POLICY, error(Code.UNAVAILABLE), 3, 60, 0.0), Again)
    assert retry.decide(POLICY, error(Code.UNAVAILABLE), 4, 60, 0.0) == Stop(Why.OUT_OF_ATTEMPTS)


def test_no_wait_goes_beyond_the_deadline() -> None:
    assert retry.decide(POLICY, error(Code.UNAVAILABLE), 1, 0.4, 0.5) == Stop(Why.OUT_OF_TIME)

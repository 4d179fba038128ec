"""Which failed calls are repeated, and when: a pure decision, and the thin loop that carries it out.

Repeating is only safe because every write carries a request_id and every event a sequence number.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

import grpc

from llm_incident_client.core import errors

T = TypeVar("T")

_REPEATABLE = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
# Their codes may be repeated, but the very same request would only meet the very same refusal.
_FINAL_REASONS = frozenset({"STALE_ETAG", "PRODUCER_FENCED"})


class Why(StrEnum):
    """Why a call is, or is not, made again."""

    TRANSIENT = "transient"
    ASKED_TO = "asked_to"
    NOT_REPEATABLE = "not_repeatable"
    OUT_OF_ATTEMPTS = "out_of_attempts"
    OUT_OF_TIME = "out_of_time"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential back-off with full jitter: a wait is drawn evenly from 0 to a ceiling that doubles."""

    initial: timedelta = timedelta(milliseconds=100)
    maximum: timedelta = timedelta(seconds=5)

    def ceiling(self, failures: int) -> float:
        """The longest wait in seconds after so many failures in a row, the first being 1."""
        return min(self.initial.total_seconds() * 2.0 ** min(failures - 1, 30), self.maximum.total_seconds())


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a unary call is repeated. `attempt_timeout` bounds one attempt."""

    attempts: int = 5
    backoff: Backoff = Backoff()
    attempt_timeout: timedelta = timedelta(seconds=10)


NO_RETRY = RetryPolicy(attempts=1)


@dataclass(frozen=True, slots=True)
class Again:
    """Try again after `delay` seconds."""

    delay: float
    why: Why


@dataclass(frozen=True, slots=True)
class Stop:
    """Give up and raise."""

    why: Why


def is_repeatable(error: errors.IncidentManagerError) -> bool:
    """Whether the failure may pass by itself. RESOURCE_EXHAUSTED only when the service says when to come back."""
    if error.reason in _FINAL_REASONS:
        return False
    if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return error.retry_after is not None
    return error.code in _REPEATABLE


def wait_for(backoff: Backoff, failures: int, retry_after: float | None, jitter: float) -> float:
    """Seconds to wait. `jitter` is in [0, 1). A delay the service asked for is a minimum; jitter comes on top."""
    return (retry_after or 0.0) + jitter * backoff.ceiling(failures)


def decide(
    policy: RetryPolicy, error: errors.IncidentManagerError, failures: int, remaining: float, jitter: float
) -> Again | Stop:
    """What to do after the `failures`-th failure in a row with `remaining` seconds left until the deadline."""
    if not is_repeatable(error):
        return Stop(Why.NOT_REPEATABLE)
    if failures >= policy.attempts:
        return Stop(Why.OUT_OF_ATTEMPTS)
    delay = wait_for(policy.backoff, failures, error.retry_after, jitter)
    if delay >= remaining:
        return Stop(Why.OUT_OF_TIME)
    return Again(delay, Why.TRANSIENT if error.retry_after is None else Why.ASKED_TO)


def draw_jitter() -> float:
    """A number in [0, 1): spreads clients that failed together."""
    return random.random()  # noqa: S311 - spreads load, guards nothing


async def run(attempt: Callable[[float], Awaitable[T]], policy: RetryPolicy, within: timedelta) -> T:
    """Calls `attempt` with its own deadline in seconds until it succeeds, must not be repeated, or time is up.

    Raises the last attempt's IncidentManagerError.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within.total_seconds()
    failures = 0
    while True:
        left = max(deadline - loop.time(), 0.001)
        try:
            return await attempt(min(left, policy.attempt_timeout.total_seconds()))
        except grpc.aio.AioRpcError as cause:
            failures += 1
            error = errors.from_rpc(cause)
            match decide(policy, error, failures, deadline - loop.time(), draw_jitter()):
                case Stop():
                    raise error from cause
                case Again(delay=delay):
                    await asyncio.sleep(delay)

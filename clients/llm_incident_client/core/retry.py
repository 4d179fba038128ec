"""Which failed calls are repeated, and when: a pure decision by the rules of gRPC (gRFC A6) and OTLP.

Repeating is only safe because every write carries a request_id and every event a sequence number.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import grpc

from llm_incident_client.core import errors

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
_FINAL_REASONS = frozenset(
    {"STALE_ETAG", "PRODUCER_FENCED", "SESSION_FENCED", errors.CIRCUIT_OPEN, errors.CLIENT_RATE_LIMIT}
)


class Why(StrEnum):
    """Why a call is, or is not, made again."""

    TRANSIENT = "transient"
    ASKED_TO = "asked_to"
    NOT_REPEATABLE = "not_repeatable"
    ASKED_NOT_TO = "asked_not_to"
    THROTTLED = "throttled"
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
class Throttle:
    """How many repeats a client may add to the load of a server in trouble, as gRPC's retryThrottling counts them.

    There are `max_tokens` at first. A repeatable failure takes 1, a success gives `token_ratio` back; nothing is
    repeated while no more than half of them are left. Raises ValueError for numbers that are not positive.
    """

    max_tokens: float = 100.0
    token_ratio: float = 0.1

    def __post_init__(self) -> None:
        """Refuses what would never repeat anything, or never recover."""
        if not (self.max_tokens > 0 and self.token_ratio > 0):
            raise ValueError(f"max_tokens is {self.max_tokens}, token_ratio {self.token_ratio}: both must be above 0")

    def failed(self, tokens: float) -> float:
        """What is left after a repeatable failure."""
        return max(0.0, tokens - 1.0)

    def succeeded(self, tokens: float) -> float:
        """What there is after a success."""
        return min(self.max_tokens, tokens + self.token_ratio)

    def holds_back(self, tokens: float) -> bool:
        """Whether nothing is repeated now."""
        return tokens <= self.max_tokens / 2


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a unary call is repeated. `attempt_timeout` bounds one attempt.

    `throttle` bounds the repeats of all calls of a client together; without it only `attempts` does.
    """

    attempts: int = 5
    backoff: Backoff = Backoff()
    attempt_timeout: timedelta = timedelta(seconds=10)
    throttle: Throttle | None = None


NO_RETRY = RetryPolicy(attempts=1)
STANDARD = RetryPolicy(throttle=Throttle())
"""What a client does that is not told otherwise."""


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
    if error.reason in _FINAL_REASONS or error.final:
        return False
    if error.code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return error.retry_after is not None
    return error.code in _REPEATABLE


def wait_for(backoff: Backoff, failures: int, retry_after: float | None, jitter: float) -> float:
    """Seconds to wait. `jitter` is in [0, 1). A delay the service asked for is a minimum; jitter comes on top."""
    return (retry_after or 0.0) + jitter * backoff.ceiling(failures)


def decide(
    policy: RetryPolicy,
    error: errors.IncidentManagerError,
    failures: int,
    remaining: float,
    jitter: float,
    *,
    throttled: bool = False,
) -> Again | Stop:
    """What to do after the `failures`-th failure in a row with `remaining` seconds left until the deadline."""
    if not is_repeatable(error):
        return Stop(Why.ASKED_NOT_TO if error.final else Why.NOT_REPEATABLE)
    if failures >= policy.attempts:
        return Stop(Why.OUT_OF_ATTEMPTS)
    if throttled:
        return Stop(Why.THROTTLED)
    delay = wait_for(policy.backoff, failures, error.retry_after, jitter)
    if delay >= remaining:
        return Stop(Why.OUT_OF_TIME)
    return Again(delay, Why.TRANSIENT if error.retry_after is None else Why.ASKED_TO)


def draw_jitter() -> float:
    """A number in [0, 1): spreads clients that failed together."""
    return random.random()  # noqa: S311 - spreads load, guards nothing

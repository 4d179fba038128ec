"""When calls to a target stop being made, and when they are tried again: pure decisions over one small value.

A target that does not answer is left alone for a while, so that callers fail at once and it is not kept from coming
back. A refusal is an answer: only what `is_breakage` names counts as a failure.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

import grpc

from llm_incident_client.core import errors

_BREAKAGE = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DATA_LOSS,
    }
)


class State(StrEnum):
    """What a breaker lets through: everything, nothing, or a few trials."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens and closes. Raises ValueError for a number below 1, or a time that is not positive."""

    failures: int = 5
    """Calls that fail in a row until it opens."""
    minimum_calls: int = 10
    """Calls that must have ended since it last closed: a few unlucky first ones open nothing."""
    open_for: timedelta = timedelta(seconds=60)
    """How long nothing is let through."""
    trials: int = 3
    """Calls under way at a time while it is half open; the others are refused."""
    successes: int = 2
    """Trials that must succeed, with none that fails in between, until it closes."""

    def __post_init__(self) -> None:
        """Refuses what could never open or never close."""
        for name in ("failures", "minimum_calls", "trials", "successes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: give at least 1")
        if self.open_for <= timedelta(0):
            raise ValueError(f"open_for is {self.open_for}: give a positive time, or no breaker")


@dataclass(frozen=True, slots=True)
class Breaker:
    """What is remembered. `era` counts changes of state: a call that began in another one decides nothing."""

    state: State = State.CLOSED
    era: int = 0
    calls: int = 0
    failures: int = 0
    successes: int = 0
    trials: int = 0
    until: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """Do not call; seconds until a trial may be made, 0 while as many as may be are under way."""

    retry_after: float


def is_breakage(error: errors.IncidentManagerError) -> bool:
    """Whether the failure says that the target does not work. Being asked to slow down says that it does."""
    return error.code in _BREAKAGE and error.retry_after is None


def admit(policy: BreakerPolicy, breaker: Breaker, now: float) -> Breaker | Refused:
    """Whether a call may be made at `now` (seconds): the breaker with it under way, or a refusal."""
    if breaker.state is State.CLOSED:
        return breaker
    if breaker.state is State.OPEN:
        if now < breaker.until:
            return Refused(breaker.until - now)
        return Breaker(State.HALF_OPEN, breaker.era + 1, trials=1)
    if breaker.trials >= policy.trials:
        return Refused(0.0)
    return replace(breaker, trials=breaker.trials + 1)


def succeeded(policy: BreakerPolicy, breaker: Breaker, era: int) -> Breaker:
    """After a call of that era got an answer, be it a refusal."""
    if era != breaker.era:
        return breaker
    if breaker.state is State.HALF_OPEN:
        successes = breaker.successes + 1
        if successes >= policy.successes:
            return Breaker(era=breaker.era + 1)
        return replace(breaker, successes=successes, trials=breaker.trials - 1)
    if not breaker.failures and breaker.calls >= policy.minimum_calls:
        return breaker  # nothing to remember: nearly all calls end here
    return replace(breaker, calls=min(breaker.calls + 1, policy.minimum_calls), failures=0)


def failed(policy: BreakerPolicy, breaker: Breaker, era: int, now: float) -> Breaker:
    """After a call of that era found the target broken."""
    if era != breaker.era:
        return breaker
    calls, failures = breaker.calls + 1, breaker.failures + 1
    enough = failures >= policy.failures and calls >= policy.minimum_calls
    if breaker.state is State.HALF_OPEN or enough:
        return Breaker(State.OPEN, breaker.era + 1, until=now + policy.open_for.total_seconds())
    return replace(breaker, calls=calls, failures=failures)


def abandoned(breaker: Breaker, era: int) -> Breaker:
    """After a call of that era ended without having learned anything, for instance cancelled: its trial is free."""
    if era != breaker.era or breaker.state is not State.HALF_OPEN:
        return breaker
    return replace(breaker, trials=breaker.trials - 1)

"""Carries out calls: asks the limit and the breaker before each attempt, repeats what may be repeated, and tells.

The decisions are in `limit`, `breaker` and `retry`; here are the clock, the waiting and what is remembered.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import grpc

from llm_incident_client.core import breaker, errors, limit, observing, retry
from llm_incident_client.core.breaker import BreakerPolicy
from llm_incident_client.core.limit import RateLimit
from llm_incident_client.core.observing import Observers
from llm_incident_client.core.retry import RetryPolicy

T = TypeVar("T")
Try = Callable[[float], Awaitable[T]]
"""One attempt with its own deadline in seconds."""
Clock = Callable[[], float]
"""Seconds, as the event loop counts them."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a client behaves: what it repeats, when it leaves a server alone, how often it calls, whom it tells."""

    retries: RetryPolicy = retry.STANDARD
    breaker: BreakerPolicy | None = None
    limit: RateLimit | None = None
    observers: Observers = observing.NOBODY


class Attempts:
    """The calls of one client to one target. Belongs to one event loop."""

    def __init__(self, conduct: Conduct) -> None:
        """Nothing has happened yet."""
        self._conduct = conduct
        self._full_at = limit.EMPTY
        self._breaker = breaker.Breaker()
        self._clock: Clock | None = None
        throttle = conduct.retries.throttle
        self._tokens = throttle.max_tokens if throttle is not None else 0.0

    @property
    def state(self) -> breaker.State:
        """The breaker's; closed where there is none."""
        return self._breaker.state

    async def run(self, method: str, attempt: Try[T], within: timedelta) -> T:
        """Makes attempts until one succeeds, must not be repeated, or time is up.

        Raises the last attempt's IncidentManagerError; CircuitOpen and RateLimited among them.
        """
        if self._clock is None:  # kept, since asking for the loop is a system call
            self._clock = asyncio.get_running_loop().time
        clock = self._clock
        began = clock()
        deadline, number = began + within.total_seconds(), 1
        while True:
            try:
                reply = await self._attempt(method, number, attempt, deadline, clock)
            except errors.IncidentManagerError as error:
                decision = self._decide(error, number, deadline - clock())
                self._tell_failure(method, number, error, decision)
                if isinstance(decision, retry.Stop):
                    self._tell_result(method, number, clock() - began, error)
                    raise
            else:
                self._count_success()
                self._tell_result(method, number, clock() - began)
                return reply
            await asyncio.sleep(decision.delay)
            number += 1

    # -- one attempt -------------------------------------------------------------------------------------------------

    async def _attempt(self, method: str, number: int, attempt: Try[T], deadline: float, clock: Clock) -> T:
        conduct = self._conduct
        if conduct.limit is not None:
            await self._wait_for_turn(conduct.limit, clock(), deadline)
        if conduct.observers:
            conduct.observers.attempt(method, number)
        era = 0 if conduct.breaker is None else self._admitted(conduct.breaker, clock())
        try:
            reply = await attempt(min(max(deadline - clock(), 0.001), conduct.retries.attempt_timeout.total_seconds()))
        except grpc.aio.AioRpcError as cause:
            error = errors.from_rpc(cause)
            self._failed(error, era, clock())
            raise error from cause
        except BaseException:
            self._now(breaker.abandoned(self._breaker, era))
            raise
        if conduct.breaker is not None:
            self._now(breaker.succeeded(conduct.breaker, self._breaker, era))
        return reply

    async def _wait_for_turn(self, rate: RateLimit, now: float, deadline: float) -> None:
        turn = limit.take(rate, self._full_at, now, deadline - now)
        if isinstance(turn, limit.TooEarly):
            raise errors.RateLimited(turn.retry_after)
        self._full_at = turn.full_at
        if turn.delay > 0:
            try:
                await asyncio.sleep(turn.delay)
            except asyncio.CancelledError:
                self._full_at = limit.give_back(rate, self._full_at)
                raise

    def _admitted(self, policy: BreakerPolicy, now: float) -> int:
        """The era of the breaker that lets a call through. Raises CircuitOpen when it does not."""
        admitted = breaker.admit(policy, self._breaker, now)
        if isinstance(admitted, breaker.Refused):
            raise errors.CircuitOpen(admitted.retry_after)
        self._now(admitted)
        return admitted.era

    def _failed(self, error: errors.IncidentManagerError, era: int, now: float) -> None:
        policy = self._conduct.breaker
        if policy is None:
            return
        if breaker.is_breakage(error):
            self._now(breaker.failed(policy, self._breaker, era, now))
        else:
            self._now(breaker.succeeded(policy, self._breaker, era))

    def _now(self, changed: breaker.Breaker) -> None:
        old, self._breaker = self._breaker, changed
        if old.state is not changed.state:
            self._conduct.observers.breaker(old.state, changed.state)

    # -- what comes of it --------------------------------------------------------------------------------------------

    def _decide(self, error: errors.IncidentManagerError, failures: int, left: float) -> retry.Again | retry.Stop:
        policy, throttle = self._conduct.retries, self._conduct.retries.throttle
        held_back = False
        if throttle is not None:
            if error.final or retry.is_repeatable(error):
                self._tokens = throttle.failed(self._tokens)
            held_back = throttle.holds_back(self._tokens)
        return retry.decide(policy, error, failures, left, retry.draw_jitter(), throttled=held_back)

    def _count_success(self) -> None:
        throttle = self._conduct.retries.throttle
        if throttle is not None:
            self._tokens = throttle.succeeded(self._tokens)

    def _tell_failure(
        self, method: str, number: int, error: errors.IncidentManagerError, decision: retry.Again | retry.Stop
    ) -> None:
        if self._conduct.observers:
            self._conduct.observers.failure(observing.Failure(method, number, error, decision))

    def _tell_result(
        self, method: str, attempts: int, seconds: float, error: errors.IncidentManagerError | None = None
    ) -> None:
        if self._conduct.observers:
            self._conduct.observers.result(observing.Result(method, attempts, seconds, error))

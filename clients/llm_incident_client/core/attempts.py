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
        loop = asyncio.get_running_loop()
        began = loop.time()
        deadline, number = began + within.total_seconds(), 1
        while True:
            try:
                reply = await self._attempt(method, number, attempt, deadline)
            except errors.IncidentManagerError as error:
                decision = self._decide(error, number, deadline - loop.time())
                self._tell_failure(method, number, error, decision)
                if isinstance(decision, retry.Stop):
                    self._tell_result(method, number, began, error)
                    raise
            else:
                self._count_success()
                self._tell_result(method, number, began)
                return reply
            await asyncio.sleep(decision.delay)
            number += 1

    # -- one attempt -------------------------------------------------------------------------------------------------

    async def _attempt(self, method: str, number: int, attempt: Try[T], deadline: float) -> T:
        loop = asyncio.get_running_loop()
        if self._conduct.limit is not None:
            await self._wait_for_turn(self._conduct.limit, deadline - loop.time())
        if self._conduct.observers:
            self._conduct.observers.attempt(method, number)
        longest = self._conduct.retries.attempt_timeout.total_seconds()
        seconds = min(max(deadline - loop.time(), 0.001), longest)
        if self._conduct.breaker is None:
            return await _answer(attempt, seconds)
        return await self._guarded(self._conduct.breaker, attempt, seconds)

    async def _wait_for_turn(self, rate: RateLimit, patience: float) -> None:
        turn = limit.take(rate, self._full_at, asyncio.get_running_loop().time(), patience)
        if isinstance(turn, limit.TooEarly):
            raise errors.RateLimited(turn.retry_after)
        self._full_at = turn.full_at
        if turn.delay > 0:
            try:
                await asyncio.sleep(turn.delay)
            except asyncio.CancelledError:
                self._full_at = limit.give_back(rate, self._full_at)
                raise

    async def _guarded(self, policy: BreakerPolicy, attempt: Try[T], seconds: float) -> T:
        loop = asyncio.get_running_loop()
        admitted = breaker.admit(policy, self._breaker, loop.time())
        if isinstance(admitted, breaker.Refused):
            raise errors.CircuitOpen(admitted.retry_after)
        self._now(admitted)
        era = admitted.era
        try:
            reply = await _answer(attempt, seconds)
        except errors.IncidentManagerError as error:
            if breaker.is_breakage(error):
                self._now(breaker.failed(policy, self._breaker, era, loop.time()))
            else:
                self._now(breaker.succeeded(policy, self._breaker, era))
            raise
        except BaseException:
            self._now(breaker.abandoned(self._breaker, era))
            raise
        self._now(breaker.succeeded(policy, self._breaker, era))
        return reply

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
        self, method: str, attempts: int, began: float, error: errors.IncidentManagerError | None = None
    ) -> None:
        if self._conduct.observers:
            seconds = asyncio.get_running_loop().time() - began
            self._conduct.observers.result(observing.Result(method, attempts, seconds, error))


async def _answer(attempt: Try[T], seconds: float) -> T:
    try:
        return await attempt(seconds)
    except grpc.aio.AioRpcError as cause:
        raise errors.from_rpc(cause) from cause

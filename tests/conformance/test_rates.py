"""Rate limits in memory and in Redis agree with each other, and with Redis gone nobody is refused for that."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.adapters.rates import ProcessRates
from llm_incident_manager.adapters.redis.clients import Deadlines
from llm_incident_manager.adapters.redis.connection import Connection
from llm_incident_manager.adapters.redis.rates import SharedRates
from llm_incident_manager.config import redis_urls
from llm_incident_manager.domain.rates import Permit, Rate
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.ports.rates import Rates
from tests.support.redis import RedisServer


class SetClock:
    """Tells what it was set to."""

    def __init__(self, now: Instant) -> None:
        self.at = now

    def now(self) -> Instant:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at = Instant(self.at + round(seconds * SECOND))


async def connected(url: str) -> Connection:
    link = Connection(redis_urls.parse(url), Deadlines(1.0, 1.0), f"test-{uuid4()}", lambda *_: None)
    await link.probe()
    return link


@pytest.fixture(params=["process", "redis"])
async def limits(request: pytest.FixtureRequest, redis_shared: RedisServer) -> AsyncIterator[Rates]:
    if request.param == "process":
        yield ProcessRates(SystemClock())
        return
    link = await connected(redis_shared.url)
    yield SharedRates(link, ProcessRates(SystemClock()))
    await link.close()


async def test_what_is_given_back_may_be_taken_again(limits: Rates) -> None:
    rate = Rate(per_second=0.01, burst=3)
    assert [(await limits.take("returned", rate)).allowed for _ in range(3)] == [True] * 3
    await limits.give_back("returned", rate, 2)
    assert [(await limits.take("returned", rate)).allowed for _ in range(3)] == [True, True, False]
    await limits.give_back("returned", rate, 3)
    await limits.give_back("never taken", rate, 3)
    for name in ("returned", "never taken"):
        assert [(await limits.take(name, rate)).allowed for _ in range(4)] == [True, True, True, False]


async def test_a_burst_passes_and_the_rest_is_told_when_to_come_back(limits: Rates) -> None:
    rate = Rate(per_second=4, burst=3)
    permits = [await limits.take("tenant", rate) for _ in range(4)]
    assert [permit.allowed for permit in permits] == [True, True, True, False]
    assert permits[0].remaining == 2
    assert 0 < permits[-1].retry_after <= 0.25
    await asyncio.sleep(permits[-1].retry_after + 0.01)
    assert (await limits.take("tenant", rate)).allowed


async def test_names_have_buckets_of_their_own(limits: Rates) -> None:
    rate = Rate(per_second=0.01, burst=1)
    assert [(await limits.take(name, rate)).allowed for name in ("a", "b", "a", "b{c}:d", "b")] == [
        True,
        True,
        False,
        True,
        False,
    ]


async def test_many_at_once_get_no_more_than_the_burst(limits: Rates) -> None:
    rate = Rate(per_second=0.01, burst=25)
    permits = await asyncio.gather(*(limits.take("storm", rate) for _ in range(100)))
    assert sum(permit.allowed for permit in permits) == 25


@pytest.mark.parametrize("seed", range(5))
async def test_both_decide_alike_step_by_step(seed: int, redis_shared: RedisServer) -> None:
    dice, link = random.Random(seed), await connected(redis_shared.url)
    rate = Rate(dice.choice([0.5, 3.0, 19.9]), dice.choice([10, 1_000]))
    clock = SetClock(SystemClock().now())
    alone, told = ProcessRates(clock), ProcessRates(clock)
    decided: list[Permit] = []
    before = time.monotonic()
    for _ in range(150):
        before, passed = (now := time.monotonic()), now - before  # Redis lets go of full buckets by its own clock
        clock.at = Instant(clock.at + int(passed * SECOND) + int(dice.expovariate(rate.per_second / SECOND)))
        shared = SharedRates(link, told, f"local now = {clock.at}")
        cost = dice.choice([1, 1, 2, rate.burst, rate.burst + 1])
        decided.append(await shared.take("same", rate, cost))
        assert decided[-1] == alone.take_now("same", rate, cost)
        assert told.peek("same", rate).remaining == alone.peek("same", rate).remaining
    assert {permit.allowed for permit in decided} == {True, False}
    await link.close()


async def test_processes_share_what_redis_counts(redis_shared: RedisServer) -> None:
    one, other = await connected(redis_shared.url), await connected(redis_shared.url)
    other._prefix = one._prefix
    rate = Rate(per_second=0.01, burst=4)
    limiters = [SharedRates(link, ProcessRates(SystemClock())) for link in (one, other)]
    permits = [(await limiters[turn % 2].take("tenant", rate)).allowed for turn in range(8)]
    assert permits == [True] * 4 + [False] * 4
    await one.close()
    await other.close()


async def test_a_full_bucket_leaves_nothing_behind(redis_own: RedisServer) -> None:
    link = await connected(redis_own.url)
    await SharedRates(link, ProcessRates(SystemClock())).take("brief", Rate(per_second=50, burst=2))
    assert redis_own.command("DBSIZE") == 1
    async with asyncio.timeout(5):
        while redis_own.command("DBSIZE") != 0:  # noqa: ASYNC110 - nobody tells us
            await asyncio.sleep(0.01)
    await link.close()


async def test_without_redis_each_process_counts_for_itself_and_with_it_they_count_together_again(
    redis_own: RedisServer,
) -> None:
    link = await connected(redis_own.url)
    limits, rate = SharedRates(link, ProcessRates(SystemClock())), Rate(per_second=0.01, burst=2)
    assert (await limits.take("tenant", rate)).remaining == 1
    await asyncio.to_thread(redis_own.restart_empty)
    redis_own.kill()
    alone = [await limits.take("tenant", rate) for _ in range(4)]
    assert [permit.allowed for permit in alone] == [True, False, False, False]  # it knows of the one before
    redis_own.start()
    await link.probe()
    assert (await limits.take("tenant", rate)).remaining == 1
    await link.close()


def test_a_glance_takes_nothing_and_says_what_taking_would() -> None:
    limits, rate = ProcessRates(SetClock(SystemClock().now())), Rate(per_second=1, burst=3)
    for cost in (2, 2, 1, 1, 4):
        looked = [limits.peek("tenant", rate, cost) for _ in range(3)]
        assert looked == 3 * [limits.take_now("tenant", rate, cost)]


def test_what_others_know_of_a_bucket_replaces_what_is_known_here() -> None:
    clock = SetClock(SystemClock().now())
    limits, rate = ProcessRates(clock), Rate(per_second=10, burst=2)
    limits.learn("tenant", 1.0)
    assert limits.peek("tenant", rate).retry_after == pytest.approx(0.9)
    clock.at = Instant(clock.at + SECOND)
    assert limits.take_now("tenant", rate).remaining == 1
    limits.learn("tenant", 0.0)
    assert limits.take_now("tenant", rate, 2).allowed


def test_a_clock_that_is_set_back_stalls_nobody() -> None:
    clock = SetClock(SystemClock().now())
    limits, rate = ProcessRates(clock), Rate(per_second=1, burst=2)
    assert [limits.take_now("tenant", rate).allowed for _ in range(3)] == [True, True, False]
    clock.at = Instant(clock.at - 3600 * SECOND)
    assert limits.take_now("tenant", rate).allowed


def test_the_least_recently_used_names_are_forgotten_first() -> None:
    limits, rate = ProcessRates(SetClock(SystemClock().now()), most=2), Rate(per_second=1, burst=1)
    for name in ("old", "kept", "old", "new"):
        limits.take_now(name, rate)
    assert not limits.take_now("old", rate).allowed
    assert limits.take_now("kept", rate).allowed

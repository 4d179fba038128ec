"""A tenant's quota over several processes: with Redis they share it, without Redis each has it for itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.adapters.rates import ProcessRates
from llm_incident_manager.adapters.redis.clients import Deadlines
from llm_incident_manager.adapters.redis.connection import Connection
from llm_incident_manager.adapters.redis.rates import SharedRates
from llm_incident_manager.config import redis_urls
from llm_incident_manager.domain.errors import Overloaded
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.engines.admission import Quota, Reason
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.batcher import Batcher, Limits
from llm_incident_manager.pipeline.quotas import SHARED_SECONDS, TenantQuotas
from llm_incident_manager.pipeline.runner import Runner
from tests.support.builders import TENANT, make_event
from tests.support.redis import RedisServer
from tests.support.world import World, a_world

pytestmark = pytest.mark.exclusive  # the quotas fill up again by the wall clock
TEN = Quota(rate=0.5, burst_seconds=20)
"""Ten at once, and then one every other second."""


@asynccontextmanager
async def process(url: str, quota: Quota = TEN, patience: float = 5.0) -> AsyncIterator[tuple[World, Batcher]]:
    """A process with a connection of its own, which waits for Redis rather than counting for itself."""
    link = Connection(redis_urls.parse(url), Deadlines(0.5, 0.5), "test", lambda *_: None)
    await link.probe()
    async with a_world() as world:
        own = ProcessRates(SystemClock())
        quotas = TenantQuotas(quota, own, SharedRates(link, own), patience)
        batcher = Batcher(Runner(world.tools), Limits(linger=0), world.tools.metrics, quotas)
        task = asyncio.create_task(batcher.run())
        try:
            yield world, batcher
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await link.close()


async def admitted(world: World, batcher: Batcher, times: int, tenant: TenantId = TENANT, severity: str = "P3") -> int:
    """How many of so many events got in; the others were told when to come back."""
    count = 0
    for _ in range(times):
        events = [make_event(title="again", severity=severity)]
        sent = Submission(tenant, "dev", events, world.clock.now())
        (refused,) = await asyncio.gather(batcher.submit(sent), return_exceptions=True)
        if refused is None:
            count += 1
            continue
        assert isinstance(refused, Overloaded)
        assert refused.metadata["cause"] == Reason.TENANT_QUOTA
        assert 0 < (refused.retry_after or 0) < 10
    return count


async def test_processes_share_the_quota_of_a_tenant(redis_own: RedisServer) -> None:
    async with process(redis_own.url) as one, process(redis_own.url) as other:
        assert await admitted(*one, 6) == 6
        assert await admitted(*other, 6) == 4
        assert await admitted(*one, 3) == 0
        assert await admitted(*other, 3, TenantId("another")) == 3


async def test_what_is_urgent_has_a_burst_of_its_own(redis_own: RedisServer) -> None:
    async with process(redis_own.url) as one, process(redis_own.url) as other:
        assert await admitted(*one, 10) == 10
        assert await admitted(*other, 12, severity="P0") == 10


async def test_what_redis_has_refused_is_refused_before_anybody_looks_at_it(redis_own: RedisServer) -> None:
    async with process(redis_own.url) as one, process(redis_own.url) as (world, other):
        assert await admitted(*one, 10) == 10
        async with other.announced(TENANT, 1, lambda: True):
            pass  # this process has not heard of it
        assert await admitted(world, other, 1) == 0
        with pytest.raises(Overloaded, match="quota"):
            async with other.announced(TENANT, 1, lambda: True):
                raise AssertionError("it was let in")


async def test_without_redis_a_process_goes_on_from_what_redis_said_last(redis_own: RedisServer) -> None:
    async with process(redis_own.url) as one, process(redis_own.url) as other:
        assert await admitted(*one, 6) == 6
        assert await admitted(*other, 2) == 2
        redis_own.kill()
        assert await admitted(*other, 6) == 2


@pytest.mark.parametrize("fault", ["killed", "frozen"])
async def test_without_redis_each_process_has_the_quota_for_itself(redis_own: RedisServer, fault: str) -> None:
    async with process(redis_own.url) as one, process(redis_own.url, patience=SHARED_SECONDS) as other:
        assert await admitted(*one, 10) == 10
        redis_own.kill() if fault == "killed" else redis_own.freeze()
        start = time.perf_counter()
        assert await admitted(*other, 12) == 10
        assert time.perf_counter() - start < 2
        if fault == "frozen":
            redis_own.thaw()


async def test_a_stream_beyond_the_shared_quota_is_slowed_down(redis_own: RedisServer) -> None:
    quota = Quota(rate=1_000, burst_seconds=0.1)
    async with process(redis_own.url, quota) as (world, one), process(redis_own.url, quota) as (_, other):
        start = time.perf_counter()
        for batcher in (one, other, one, other, one, other, one):
            events = [make_event(title="again") for _ in range(100)]
            await (await batcher.enqueue(Submission(TENANT, "dev", events, world.clock.now()), batcher.lane()))
        assert 0.4 < time.perf_counter() - start < 2

"""A tenant that floods is the one that is refused or waits; the others neither wait longer nor are refused."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.adapters.rates import ProcessRates
from llm_incident_manager.domain.errors import DomainError, Overloaded
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.engines.admission import Quota, Reason
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.batcher import Batcher, Limits
from llm_incident_manager.pipeline.buffer import Bounds
from llm_incident_manager.pipeline.quotas import UNLIMITED, TenantQuotas
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.telemetry.metrics import Metrics
from tests.support.builders import make_event
from tests.support.world import World

QUIET = [TenantId(f"quiet-{n}") for n in range(4)]
FLOOD = TenantId("flood")
ROUNDS = 30
PATIENCE = 20.0


class Ticking(Runner):
    """The real runner; a commit waits for its tick, and remembers in which tick each submission was committed."""

    def __init__(self, world: World) -> None:
        super().__init__(world.tools)
        self.ticks = asyncio.Semaphore(0)
        self.tick = 0
        self.committed: dict[int, int] = {}

    async def commit(self, submissions: Sequence[Submission]) -> None:
        await self.ticks.acquire()
        await super().commit(submissions)
        self.committed |= {id(submission): self.tick for submission in submissions}


@asynccontextmanager
async def batching(
    world: World, runner: Runner, limits: Limits, quotas: TenantQuotas = UNLIMITED
) -> AsyncIterator[Batcher]:
    batcher = Batcher(runner, limits, world.tools.metrics, quotas)
    task = asyncio.create_task(batcher.run())
    try:
        async with asyncio.timeout(PATIENCE):
            yield batcher
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def sent(world: World, tenant: TenantId, title: str = "again", events: int = 1, severity: str = "P3") -> Submission:
    made = tuple(make_event(title=title, kind="", severity=severity) for _ in range(events))
    return Submission(tenant, "dev", made, world.clock.now())


async def settled() -> None:
    """Until everybody who can go on has done so; no time passes here."""
    for _ in range(50):
        await asyncio.sleep(0)


def of_a_second(rate: float, burst_seconds: float = 1.0) -> TenantQuotas:
    return TenantQuotas(Quota(rate, burst_seconds), ProcessRates(SystemClock()))


async def waits_of_the_quiet(
    world: World, limits: Limits, flood: int, quotas: TenantQuotas = UNLIMITED
) -> tuple[list[int], int, list[Overloaded]]:
    """In how many ticks each event of the quiet tenants was committed, what they were refused, and what the flood was
    that sends so many submissions of ten events for each of theirs."""
    runner = Ticking(world)
    waits, refused, of_flood = list[int](), 0, list[Overloaded]()
    async with batching(world, runner, limits, quotas) as batcher:
        calls: list[tuple[int, Submission, asyncio.Task[None]]] = []
        for _ in range(ROUNDS):
            for tenant in QUIET:
                for _ in range(flood):
                    each = sent(world, FLOOD, events=10)
                    calls.append((runner.tick, each, asyncio.create_task(batcher.submit(each))))
                mine = sent(world, tenant)
                calls.append((runner.tick, mine, asyncio.create_task(batcher.submit(mine))))
            await settled()
            runner.tick += 1
            runner.ticks.release()
            await settled()
        while not all(task.done() for *_, task in calls):
            runner.tick += 1
            runner.ticks.release()
            await settled()
    for began, each, task in calls:
        error = task.exception()
        if each.tenant != FLOOD:
            refused += error is not None
            waits += [runner.committed[id(each)] - began] if error is None else []
        elif isinstance(error, Overloaded):
            of_flood.append(error)
    return waits, refused, of_flood


def p99(waits: Sequence[int]) -> int:
    return sorted(waits)[int(len(waits) * 0.99)]


LIMITS = Limits(batch_events=600, linger=0, bounds=Bounds(events=2_000))


async def test_beside_a_flood_the_others_wait_at_most_for_the_batch_under_way_and_are_never_refused(
    world: World,
) -> None:
    calm, refused_before, _ = await waits_of_the_quiet(world, LIMITS, flood=0)
    flooded, refused, of_flood = await waits_of_the_quiet(world, LIMITS, flood=30)
    assert (len(calm), refused_before) == (len(flooded), refused) == (ROUNDS * len(QUIET), 0)
    assert max(flooded) <= max(calm) + 1
    assert {error.metadata["cause"] for error in of_flood} == {Reason.TENANT_SHARE}
    assert all(error.retry_after for error in of_flood)


async def test_beyond_its_quota_only_the_flood_is_refused_and_told_when_to_come_back(world: World) -> None:
    quotas = of_a_second(100)
    calm, *_ = await waits_of_the_quiet(world, LIMITS, 0, quotas)
    waits, refused, of_flood = await waits_of_the_quiet(world, LIMITS, 10, quotas)
    assert (len(waits), refused) == (ROUNDS * len(QUIET), 0)
    assert p99(waits) <= 1.2 * p99(calm)
    assert {error.metadata["cause"] for error in of_flood} == {Reason.TENANT_QUOTA}
    assert all(0 < (error.retry_after or 0) < 10 for error in of_flood)
    page = world.tools.metrics.page().body.decode()
    assert f'incident_manager_shed_total{{priority="normal",reason="tenant_quota"}} {len(of_flood)}.0' in page


async def test_a_stream_beyond_the_quota_is_slowed_down_instead_of_refused(world: World) -> None:
    runner, loop = Runner(world.tools), asyncio.get_running_loop()
    async with batching(world, runner, Limits(linger=0), of_a_second(1_000, 0.1)) as batcher:
        began, lane = loop.time(), batcher.lane()
        for _ in range(5):
            await (await batcher.enqueue(sent(world, FLOOD, events=100), lane))
        assert 0.1 < loop.time() - began < 3


async def test_a_stream_of_large_frames_does_not_starve_beside_many_small_calls(world: World) -> None:
    async with batching(world, Runner(world.tools), Limits(linger=0), of_a_second(1_000, 0.1)) as batcher:
        lane, over = batcher.lane(), asyncio.Event()

        async def small_calls() -> int:
            accepted = 0
            while not over.is_set():
                (error,) = await asyncio.gather(batcher.submit(sent(world, FLOOD)), return_exceptions=True)
                accepted += error is None
            return accepted

        calls = asyncio.create_task(small_calls())
        for _ in range(5):
            await (await batcher.enqueue(sent(world, FLOOD, events=100), lane))
        over.set()
        assert await calls > 0


async def test_what_the_buffer_refuses_costs_no_quota(world: World) -> None:
    limits = Limits(linger=0, bounds=Bounds(callers=1, reserve=0))
    batcher = Batcher(Runner(world.tools), limits, world.tools.metrics, of_a_second(0.01, 1_000))
    async with batcher.admitted(sent(world, FLOOD)):
        for _ in range(100):
            with pytest.raises(Overloaded, match="calls that wait"):
                async with batcher.admitted(sent(world, FLOOD)):
                    raise AssertionError("it was let in")
    async with batcher.admitted(sent(world, FLOOD, events=9)):
        pass
    with pytest.raises(Overloaded, match="quota") as refused:
        async with batcher.admitted(sent(world, FLOOD)):
            raise AssertionError("it was let in")
    assert refused.value.metadata["cause"] == Reason.TENANT_QUOTA


async def test_beyond_the_quota_events_are_refused_before_anybody_looks_at_them_unless_one_is_urgent(
    world: World,
) -> None:
    batcher = Batcher(Runner(world.tools), Limits(), world.tools.metrics, of_a_second(0.01, 1_000))
    async with batcher.admitted(sent(world, FLOOD, events=10)):
        pass
    with pytest.raises(Overloaded) as refused:
        async with batcher.announced(FLOOD, 1, lambda: True):
            raise AssertionError("it was let in")
    assert refused.value.metadata["cause"] == Reason.TENANT_QUOTA
    async with batcher.announced(FLOOD, 1, lambda: False), batcher.announced(QUIET[0], 1, lambda: True):
        pass


async def test_p0_and_p1_get_in_and_ahead_where_others_are_refused(world: World) -> None:
    runner = Ticking(world)
    limits = Limits(batch_events=20, linger=0, bounds=Bounds(events=100))
    async with batching(world, runner, limits) as batcher:
        calls = [asyncio.create_task(batcher.submit(sent(world, FLOOD, events=10))) for _ in range(12)]
        await settled()
        refused = [call for call in calls if call.done() and isinstance(call.exception(), Overloaded)]
        urgent = [sent(world, FLOOD, severity=word) for word in ("P0", "P1", "critical", "high")]
        waiting = [asyncio.create_task(batcher.submit(each)) for each in urgent]
        await settled()
        runner.tick = 1
        runner.ticks.release()
        await settled()
        runner.tick = 2
        runner.ticks.release()
        await asyncio.gather(*waiting)
        assert [runner.committed[id(each)] for each in urgent] == [2] * 4
        for _ in calls:
            runner.ticks.release()
        ended = await asyncio.gather(*calls, return_exceptions=True)
    assert refused
    assert sum(isinstance(error, DomainError) for error in ended) == len(refused)


async def test_callers_beyond_their_number_are_refused_but_not_the_urgent_ones(world: World) -> None:
    runner = Ticking(world)
    async with batching(world, runner, Limits(linger=0, bounds=Bounds(callers=10))) as batcher:
        calls = [asyncio.create_task(batcher.submit(sent(world, FLOOD))) for _ in range(12)]
        urgent = [asyncio.create_task(batcher.submit(sent(world, FLOOD, severity="P0"))) for _ in range(3)]
        await settled()
        for _ in range(15):
            runner.ticks.release()
        ended = await asyncio.gather(*calls, *urgent, return_exceptions=True)
    causes = [error.metadata["cause"] if isinstance(error, DomainError) else "" for error in ended]
    assert causes == [""] * 8 + ["calls"] * 4 + [""] * 2 + ["calls"]


async def test_a_place_is_free_again_once_its_caller_has_its_answer(world: World) -> None:
    metrics = Metrics("test")
    batcher = Batcher(Runner(world.tools), Limits(bounds=Bounds(callers=1, reserve=0)), metrics)
    late = batcher.admitted(sent(world, FLOOD, severity="P0"))
    async with batcher.admitted(sent(world, FLOOD)):
        with pytest.raises(Overloaded, match="calls that wait"):
            await late.__aenter__()
    async with batcher.admitted(sent(world, FLOOD)):
        assert 'reason="calls"' in metrics.page().body.decode()


async def test_a_tenant_may_have_a_quota_of_its_own(world: World) -> None:
    quotas = TenantQuotas(Quota(0), ProcessRates(world.clock), of_tenant=lambda tenant: 10 if tenant == FLOOD else 0)
    assert await quotas.take(sent(world, FLOOD, events=10)) == 0.0
    assert await quotas.take(sent(world, FLOOD, events=10)) == pytest.approx(1.0, abs=0.01)
    assert quotas.limits(FLOOD)
    assert not quotas.limits(QUIET[0])
    assert [await quotas.take(sent(world, QUIET[0], events=1_000)) for _ in range(3)] == [0.0] * 3

"""The bounded buffer in front of the commit: what travels together, who waits, who is refused, and how it ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.errors import DomainError, ErrorReason, Overloaded, StoreUnavailable
from llm_incident_manager.pipeline import lanes
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.batcher import Batcher, Limits
from llm_incident_manager.pipeline.buffer import Bounds
from llm_incident_manager.pipeline.lanes import BUSY_EVENTS
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.ports.stores import StoreBroken
from tests.support.builders import TENANT, make_event
from tests.support.world import World

PATIENCE = 10.0
SPACING_SECONDS = 0.5
"""Longer than the first batch takes on a busy machine."""
NEVER = 3600.0


class HeldRunner(Runner):
    """The real runner; each commit waits at the gate, and fails first with what it is told to."""

    def __init__(self, world: World) -> None:
        super().__init__(world.tools)
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.batches: list[int] = []
        self.failures: list[Exception] = []

    async def commit(self, submissions: Sequence[Submission]) -> None:
        self.batches.append(sum(len(submission.events) for submission in submissions))
        self.begun.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        await super().commit(submissions)


@asynccontextmanager
async def running(world: World, runner: Runner, limits: Limits) -> AsyncIterator[tuple[Batcher, asyncio.Task[None]]]:
    """A batcher at work; cancelled at the end."""
    batcher = Batcher(runner, limits, world.tools.metrics)
    task = asyncio.create_task(batcher.run())
    try:
        async with asyncio.timeout(PATIENCE):
            yield batcher, task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, StoreBroken):
            await task


def submission(world: World, *keys: str) -> Submission:
    """One event for each key, each a problem of its own."""
    events = tuple(make_event(dedup_key=key) for key in keys)
    return Submission(TENANT, "dev", events, world.clock.now())


async def later(batcher: Batcher, sent: Submission) -> asyncio.Task[None]:
    """A caller that waits for its commit, already in the buffer."""
    task = asyncio.create_task(batcher.submit(sent))
    await asyncio.sleep(0)
    return task


async def test_what_arrives_during_a_commit_travels_together_in_the_next(world: World) -> None:
    runner = HeldRunner(world)
    runner.gate.clear()
    async with running(world, runner, Limits(linger=0)) as (batcher, _):
        waiting = [await later(batcher, submission(world, "a"))]
        await runner.begun.wait()
        waiting += [await later(batcher, submission(world, key)) for key in "bcd"]
        runner.gate.set()
        await asyncio.gather(*waiting)
    assert runner.batches == [1, 3]
    assert len(await world.incidents()) == 4


async def test_a_full_batch_does_not_wait_for_more(world: World) -> None:
    runner = HeldRunner(world)
    async with running(world, runner, Limits(batch_events=3, linger=NEVER)) as (batcher, _):
        waiting = [await later(batcher, submission(world, *keys)) for keys in ("ab", "c")]
        await asyncio.gather(*waiting)
    assert runner.batches == [3]


async def test_a_batch_is_bounded_in_fingerprints_too(world: World) -> None:
    runner = HeldRunner(world)
    runner.gate.clear()
    async with running(world, runner, Limits(batch_fingerprints=2, linger=0)) as (batcher, _):
        waiting = [await later(batcher, submission(world, "a"))]
        await runner.begun.wait()
        waiting += [await later(batcher, submission(world, *keys)) for keys in ("bbb", "bcc", "bcb", "d", "efg")]
        runner.gate.set()
        await asyncio.gather(*waiting)
    assert runner.batches == [1, 9, 1, 3]


async def test_a_batch_that_is_not_full_waits_a_moment_for_more(world: World) -> None:
    runner = HeldRunner(world)
    async with running(world, runner, Limits(batch_events=3, linger=0.001)) as (batcher, _):
        await batcher.submit(submission(world, "a"))
    assert runner.batches == [1]


async def test_behind_a_large_batch_the_next_one_gathers_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "SPACING_SECONDS", SPACING_SECONDS)
    runner, loop = HeldRunner(world), asyncio.get_running_loop()
    async with running(world, runner, Limits(linger=0.001)) as (batcher, _):
        began = loop.time()
        await batcher.submit(submission(world, *map(str, range(BUSY_EVENTS + 1))))
        waiting = [await later(batcher, submission(world, "a"))]
        await asyncio.sleep(SPACING_SECONDS / 4)
        waiting += [await later(batcher, submission(world, "b"))]
        await asyncio.gather(*waiting)
        assert loop.time() - began >= SPACING_SECONDS
    assert runner.batches == [BUSY_EVENTS + 1, 2]


async def test_a_submission_is_never_torn_and_one_that_is_too_large_goes_alone(world: World) -> None:
    runner = HeldRunner(world)
    runner.gate.clear()
    async with running(world, runner, Limits(batch_events=3, linger=0)) as (batcher, _):
        waiting = [await later(batcher, submission(world, "a"))]
        await runner.begun.wait()
        waiting += [await later(batcher, submission(world, *keys)) for keys in ("bc", "de", "fghij", "k")]
        pressed = [batcher.pressed]
        runner.gate.set()
        await asyncio.gather(*waiting)
        pressed.append(batcher.pressed)
    assert pressed == [True, False]
    assert runner.batches == [1, 2, 2, 5, 1]


async def test_a_full_buffer_refuses_who_can_come_back_and_holds_back_who_streams(world: World) -> None:
    runner = HeldRunner(world)
    runner.gate.clear()
    async with running(world, runner, Limits(linger=0, bounds=Bounds(events=2, reserve=0))) as (batcher, _):
        first = await later(batcher, submission(world, "a"))
        await runner.begun.wait()
        second = await later(batcher, submission(world, "b", "c"))
        with pytest.raises(Overloaded, match="the ingest buffer is full") as refused:
            await batcher.submit(submission(world, "d"))
        assert 1 <= (refused.value.retry_after or 0) <= 1.5
        streaming = asyncio.create_task(batcher.enqueue(submission(world, "e"), batcher.lane()))
        await asyncio.sleep(0)
        assert not streaming.done()
        runner.gate.set()
        await asyncio.gather(first, second, await streaming)
    assert runner.batches == [1, 2, 1]


async def test_streams_in_different_lanes_commit_side_by_side_and_each_keeps_its_order(world: World) -> None:
    runner = HeldRunner(world)
    runner.gate.clear()
    async with running(world, runner, Limits(batch_events=1, linger=0, lanes=2)) as (batcher, _):
        one, other = batcher.lane(), batcher.lane()
        assert batcher.lane() is one
        sent = [
            await batcher.enqueue(submission(world, key), lane) for key, lane in (("a", one), ("b", other), ("c", one))
        ]
        while len(runner.batches) < 2:
            runner.begun.clear()
            await runner.begun.wait()
        assert not any(done.done() for done in sent)
        runner.gate.set()
        await asyncio.gather(*sent)
    assert runner.batches == [1, 1, 1]
    assert len(await world.incidents()) == 3


async def test_a_failed_batch_is_told_to_all_its_callers_and_the_next_one_goes_on(world: World) -> None:
    runner = HeldRunner(world)
    runner.failures = [StoreUnavailable("gone")]
    async with running(world, runner, Limits(batch_events=2, linger=NEVER)) as (batcher, _):
        failed = [await later(batcher, submission(world, key)) for key in "ab"]
        ended = await asyncio.gather(*failed, return_exceptions=True)
        assert [type(error) for error in ended] == [StoreUnavailable, StoreUnavailable]
        again = submission(world, "a", "b")
        await batcher.submit(again)
    assert [result.disposition for result in again.results] == [Disposition.NEW, Disposition.NEW]


async def test_a_broken_store_ends_the_batcher_and_refuses_what_waits(world: World) -> None:
    runner = HeldRunner(world)
    runner.gate.clear()
    runner.failures = [StoreBroken("a flush failed")]
    async with running(world, runner, Limits(linger=0)) as (batcher, task):
        first = await later(batcher, submission(world, "a"))
        await runner.begun.wait()
        second = await later(batcher, submission(world, "b"))
        runner.gate.set()
        with pytest.raises(StoreBroken):
            await first
        with pytest.raises(DomainError) as refused:
            await second
        with pytest.raises(StoreBroken):
            await task
    assert refused.value.reason is ErrorReason.DRAINING


async def test_at_the_end_of_the_server_whoever_waits_is_told_to_go_elsewhere(world: World) -> None:
    runner = HeldRunner(world)
    runner.gate.clear()
    async with running(world, runner, Limits(linger=0)) as (batcher, task):
        first = await later(batcher, submission(world, "a"))
        await runner.begun.wait()
        second = await later(batcher, submission(world, "b"))
        task.cancel()
        ended = await asyncio.gather(first, second, return_exceptions=True)
    assert [error.reason for error in ended if isinstance(error, DomainError)] == [ErrorReason.DRAINING] * 2


async def test_a_caller_that_goes_away_does_not_take_its_events_back(world: World) -> None:
    runner = HeldRunner(world)
    runner.gate.clear()
    async with running(world, runner, Limits(linger=0)) as (batcher, _):
        gone = await later(batcher, submission(world, "a"))
        await runner.begun.wait()
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        runner.gate.set()
        await batcher.submit(submission(world, "b"))
    assert len(await world.incidents()) == 2

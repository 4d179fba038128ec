"""Work after the commit is taken up at once, survives a bad round, and yields to ingest when that is pressed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.engines import pacing
from llm_incident_manager.pipeline import outbox
from llm_incident_manager.pipeline.outbox import Handler, Pump
from llm_incident_manager.pipeline.stages import route
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.changes import OutboxRow
from llm_incident_manager.ports.stores import KeyTaken, StoreBroken
from tests.support.builders import make_event
from tests.support.waiting import until
from tests.support.world import World

PATIENCE = 10.0


class Routing:
    """The real stage `route`; first it fails with what it is told to."""

    NAME = route.NAME
    TOPIC = route.TOPIC

    def __init__(self, *failures: Exception) -> None:
        self._failures = list(failures)
        self.handled: asyncio.Queue[int] = asyncio.Queue()

    async def run(self, rows: Sequence[OutboxRow], tools: Tools) -> None:
        if self._failures:
            self.handled.put_nowait(-len(rows))
            raise self._failures.pop(0)
        await route.run(rows, tools)
        self.handled.put_nowait(len(rows))


@asynccontextmanager
async def pumping(
    world: World, handler: Handler, *, pressed: bool = False
) -> AsyncIterator[tuple[Pump, asyncio.Task[None]]]:
    """A pump at work; cancelled at the end."""
    pump = Pump(handler, world.tools, "test", lambda: pressed)
    task = asyncio.create_task(pump.run())
    try:
        async with asyncio.timeout(PATIENCE):
            yield pump, task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, StoreBroken):
            await task


async def test_what_is_committed_is_taken_up_at_once_when_the_pump_is_woken(world: World) -> None:
    handler = Routing()
    async with pumping(world, handler) as (pump, _):
        for key in ("a", "b"):
            await world.submit(make_event(dedup_key=key))
            pump.wake()
            assert await handler.handled.get() == 1
    assert [incident.route for incident in await world.incidents()] == ["default", "default"]


async def test_the_rows_of_a_bad_round_come_back_when_their_lease_runs_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "POLL_SECONDS", 0.001)
    await world.submit(make_event())
    handler = Routing(StoreUnavailable("gone"), RuntimeError("a defect"))
    async with pumping(world, handler):
        for expected in (-1, -1, 1):
            assert await handler.handled.get() == expected
            world.clock.forward((outbox.LEASE_SECONDS + 1) * SECOND)
    assert (await world.incident()).route == "default"


async def test_rows_that_another_process_was_quicker_with_come_back(world: World) -> None:
    await world.submit(make_event())
    handler = Routing(KeyTaken("incident"))
    async with pumping(world, handler) as (pump, _):
        assert await handler.handled.get() == -1
        world.clock.forward((outbox.LEASE_SECONDS + 1) * SECOND)
        pump.wake()
        assert await handler.handled.get() == 1


async def test_a_broken_store_ends_the_pump(world: World) -> None:
    await world.submit(make_event())
    async with pumping(world, Routing(StoreBroken("a flush failed"))) as (_, task):
        with pytest.raises(StoreBroken):
            await task


async def test_while_ingest_is_pressed_the_pump_pauses_between_its_rounds(world: World) -> None:
    await world.submit(make_event())
    before = world.clock.now()
    handler = Routing()
    async with pumping(world, handler, pressed=True):
        await handler.handled.get()
        await until(lambda: world.clock.now() > before)
    assert world.clock.now() - before == int(pacing.PAUSE_SECONDS * SECOND)


class Stuck(Routing):
    """So many of its rounds never end."""

    def __init__(self, rounds: int) -> None:
        super().__init__()
        self.begun, self._stuck = 0, rounds

    async def run(self, rows: Sequence[OutboxRow], tools: Tools) -> None:
        self.begun += 1
        if self.begun <= self._stuck:
            await asyncio.Event().wait()
        await super().run(rows, tools)


async def test_a_round_that_takes_long_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SLOW_SECONDS", 0.01)
    handler = Stuck(rounds=1)
    await world.submit(make_event(dedup_key="stuck"))
    async with pumping(world, handler) as (pump, _):
        await until(lambda: handler.begun == 1)
        await world.submit(make_event(dedup_key="other"))
        pump.wake()
        assert await handler.handled.get() == 1
    assert sorted(incident.route for incident in await world.incidents()) == ["", "default"]


async def test_only_so_many_rounds_are_under_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "SLOW_SECONDS", 0.001)
    monkeypatch.setattr(outbox, "POLL_SECONDS", 0.001)
    handler = Stuck(rounds=1_000)
    async with pumping(world, handler):
        for number in range(outbox.MOST_ROUNDS):
            await world.submit(make_event(dedup_key=f"problem {number}"))
            await until(lambda wanted=number + 1: handler.begun == wanted)  # type: ignore[misc]
        await world.submit(make_event(dedup_key="one more"))
        await asyncio.sleep(0.1)
        assert handler.begun == outbox.MOST_ROUNDS

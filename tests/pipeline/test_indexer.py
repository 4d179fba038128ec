"""What lists and searches ask follows the feed by itself, survives a bad round, and yields when ingest is pressed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest

from llm_incident_manager.domain import search
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.pipeline import indexer
from llm_incident_manager.pipeline.indexer import Indexer
from llm_incident_manager.ports.stores import IncidentQuery, Store
from tests.support.builders import TENANT, make_event
from tests.support.world import World

FOUND = IncidentQuery(TENANT, search=search.parse("gateway"))


class Following:
    """The real store; a round takes so many seconds, and the first ones fail as they are told to."""

    def __init__(self, world: World, seconds: float = 0, *failures: Exception) -> None:
        self._world = world
        self._seconds = seconds
        self._failures = list(failures)
        self.rounds: asyncio.Queue[int] = asyncio.Queue()

    async def index_incidents(self, limit: int) -> int:
        await asyncio.sleep(0)
        if self._failures:
            self.rounds.put_nowait(-1)
            raise self._failures.pop(0)
        self._world.clock.forward(int(self._seconds * SECOND))
        return await self._world.store.index_incidents(limit)

    async def index_words(self, limit: int) -> int:
        followed = await self._world.store.index_words(limit)
        self.rounds.put_nowait(followed)
        return followed


@asynccontextmanager
async def running(world: World, store: Following, *pressed: bool) -> AsyncIterator[Indexer]:
    """An indexer at work; whether ingest is pressed after its first rounds, and not at all after those."""
    answers = iter(pressed)
    made = Indexer(cast(Store, store), world.clock, lambda: next(answers, False))
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_words_are_found_once_they_were_followed(world: World) -> None:
    await world.submit(make_event(title="Latency of the gateway"))
    assert await world.store.count_incidents(FOUND) == 0
    store = Following(world)
    async with running(world, store) as follower:
        assert await store.rounds.get() == 1
        assert await world.store.count_incidents(FOUND) == 1
        await world.submit(make_event(title="Errors of the gateway"))
        follower.wake()
        while await store.rounds.get() != 1:
            pass
    assert await world.store.count_incidents(FOUND) == 2


async def test_a_bad_round_is_made_up_for(world: World) -> None:
    await world.submit(make_event(title="Latency of the gateway"))
    store = Following(world, 0, StoreUnavailable("no answer in time"))
    async with running(world, store) as follower:
        assert await store.rounds.get() == -1
        follower.wake()
        assert await store.rounds.get() == 1


@pytest.mark.parametrize(("round_", "rest"), [(0.5, 0.5 * indexer.REST_WHILE_PRESSED), (0.0, indexer.EVERY_SECONDS)])
async def test_while_ingest_is_pressed_it_rests_much_longer_than_it_works(
    world: World, round_: float, rest: float
) -> None:
    store, before = Following(world, round_), world.clock.now()
    async with running(world, store, True):
        await store.rounds.get()
        await store.rounds.get()
    assert world.clock.now() - before == int((2 * round_ + rest) * SECOND)

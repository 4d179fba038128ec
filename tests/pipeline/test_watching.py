"""A watcher whose filter matches nothing is told where it stands, however busy the server is."""

import asyncio

import pytest

from llm_incident_manager.domain import filters
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.ports.stores import Position
from llm_incident_manager.usecases.watch import Feed
from tests.support.builders import TENANT, make_event
from tests.support.world import World

IDLE = 0.2


async def _busy(world: World, feed: Feed) -> None:
    for number in range(10_000):
        await world.submit(make_event(dedup_key=f"problem-{number}"))
        feed.wake()
        await asyncio.sleep(0)


async def test_a_watch_resumes_where_it_was_but_not_where_this_database_has_never_been(world: World) -> None:
    feed = Feed(world.store)
    await world.submit(make_event())
    last = await feed.position()
    assert await feed.resumed(last) == last
    with pytest.raises(DomainError, match=r"another database.*watch again without it") as refused:
        await feed.resumed(last._replace(sequence=last.sequence + 1))
    assert refused.value.reason is ErrorReason.INVALID_RESUME_TOKEN


async def test_heartbeats_come_between_changes_that_do_not_match(world: World) -> None:
    feed = Feed(world.store)
    start = await feed.position()
    watcher = feed.changes(TENANT, start, filters.parse('service = "nobody"'), IDLE)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        background = [tasks.create_task(feed.run()), tasks.create_task(_busy(world, feed))]
        told = await anext(watcher)
        for task in background:
            task.cancel()
    assert isinstance(told, Position)
    assert told > start

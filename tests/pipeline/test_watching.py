"""A watcher whose filter matches nothing is told where it stands, however busy the server is."""

import asyncio
from collections.abc import Sequence

import pytest

from llm_incident_manager.domain import filters
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.stores import FeedItem, Position
from llm_incident_manager.usecases import sending
from llm_incident_manager.usecases.watch import Feed
from tests.support.builders import TENANT, make_event
from tests.support.waiting import until
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


async def test_a_change_is_read_once_for_all_who_watch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    feed, reads = Feed(world.store), list[Position]()
    read = world.store.feed_after

    async def counted(tenant: TenantId | None, position: Position, limit: int) -> Sequence[FeedItem]:
        reads.append(position)
        return await read(tenant, position, limit)

    start = await feed.position()
    watchers = [feed.changes(TENANT, start, None, 30.0) for _ in range(50)]
    async with asyncio.timeout(10):
        following = asyncio.create_task(feed.run())
        waiting = [asyncio.ensure_future(anext(watcher)) for watcher in watchers]
        await until(lambda: feed._since is not None)  # the feed begins where they wait
        await asyncio.sleep(0)
        monkeypatch.setattr(world.store, "feed_after", counted)
        await world.submit(make_event())
        feed.wake()
        told = await asyncio.gather(*waiting)
        following.cancel()
    assert len({id(item) for item in told}) == 1
    assert len(reads) <= 3


async def test_only_whom_a_change_concerns_is_woken_and_the_others_are_past_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed, looks = Feed(world.store), list[TenantId]()
    look = feed._page

    async def counted(tenant: TenantId, after: Position, hold: sending.Hold) -> Sequence[FeedItem]:
        looks.append(tenant)
        return await look(tenant, after, hold)

    start = await feed.position()
    filtered = [filters.parse(f'service = "chat-{number}"') for number in range(50)]
    watchers = [feed.changes(TENANT, start, one, 1.0) for one in filtered]
    async with asyncio.timeout(10):
        following = asyncio.create_task(feed.run())
        waiting = [asyncio.ensure_future(anext(watcher)) for watcher in watchers]
        await until(lambda: len(feed._waiting._watchers) == 50 and feed._since is not None)
        await asyncio.sleep(0.05)  # the round in which the feed began is over
        monkeypatch.setattr(feed, "_page", counted)
        await world.submit(make_event(service="chat-7"))
        feed.wake()
        told = await waiting[7]
        assert isinstance(told, FeedItem)
        assert len(looks) <= 3
        idle = await waiting[8]  # it was not told, and may resume behind what it did not want
        assert isinstance(idle, Position)
        assert idle >= told.position
        following.cancel()
        await asyncio.gather(*waiting)


@pytest.mark.parametrize("kept", [{"recent": 2}, {"recent_bytes": 8_000}], ids=["few", "small"])
async def test_who_is_behind_the_recent_changes_reads_what_is_missing(world: World, kept: dict[str, int]) -> None:
    feed = Feed(world.store, **kept)
    start = await feed.position()
    ahead = feed.changes(TENANT, start, None, 30.0)
    late = feed.changes(TENANT, start, None, 30.0)
    async with asyncio.timeout(10):
        following = asyncio.create_task(feed.run())
        for number in range(6):
            await world.submit(make_event(dedup_key=f"problem-{number}"))
            feed.wake()
            await anext(ahead)
        seen = [await anext(late) for _ in range(6)]
        following.cancel()
    positions = [item.position for item in seen if isinstance(item, FeedItem)]
    assert len(positions) == 6
    assert positions == sorted(set(positions))


@pytest.mark.parametrize("kept", [{"recent": 2}, {}], ids=["behind the recent changes", "among them"])
@pytest.mark.parametrize(("long", "at_once"), [(10, 10), (16_000, 1)])
async def test_a_watcher_has_room_for_what_it_is_told_next(
    world: World, kept: dict[str, int], long: int, at_once: int
) -> None:
    feed, told, asked = Feed(world.store, **kept), list[FeedItem](), list[tuple[int, int]]()

    async def hold(size: int) -> None:
        asked.append((len(told), size))

    watcher = feed.changes(TENANT, await feed.position(), None, 30.0, hold)
    async with asyncio.timeout(10):
        following = asyncio.create_task(feed.run())
        first = asyncio.ensure_future(anext(watcher))
        await until(lambda: feed._since is not None)
        for number in range(25):
            await world.submit(make_event(dedup_key=f"problem-{number}", description="y" * long))
        feed.wake()
        while len(told) < 25:
            item = await (anext(watcher) if told else first)
            assert isinstance(item, FeedItem)
            told.append(item)
        following.cancel()
    pages = [(start, size) for start, size in asked if size]
    ends = [*(start for start, _ in pages[1:]), 25]
    for (start, size), end in zip(pages, ends, strict=True):
        assert 1 <= end - start <= at_once
        assert size == sending.room_for([sending.weight(item.incident) for item in told[start:end]])
    assert max(end - start for (start, _), end in zip(pages, ends, strict=True)) == at_once

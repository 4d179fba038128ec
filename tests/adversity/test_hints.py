"""Processes on one PostgreSQL tell each other of news, also after their connections were lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count

from llm_incident_manager.adapters.postgres.hints import AGAIN_SECONDS, PostgresHints
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.store import PostgresStore, open_store
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.ports.changes import NOTIFY, ROUTED, TOPICS
from llm_incident_manager.ports.hints import ACCESS, AGENTS, FEED, SESSIONS
from llm_incident_manager.ports.stores import FeedItem, Position
from llm_incident_manager.usecases.watch import Feed
from tests.support.builders import NOW, TENANT, make_id, make_incident, make_opening
from tests.support.postgres import Cluster
from tests.support.waiting import until

EVERYTHING = {ACCESS, AGENTS, FEED, SESSIONS, *TOPICS}


@asynccontextmanager
async def listening(
    options: Options, heard: Callable[[str], None], again: float = AGAIN_SECONDS
) -> AsyncIterator[PostgresHints]:
    """A process that hears; ready when it has looked around once."""
    hints, greeted = PostgresHints(options, again), set[str]()

    def hear(name: str) -> None:
        if greeted == EVERYTHING:
            heard(name)
        greeted.add(name)

    task = asyncio.create_task(hints.run(hear))
    try:
        await until(lambda: greeted == EVERYTHING)
        yield hints
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_what_one_process_tells_all_others_hear_and_not_itself(options: Options) -> None:
    mine, theirs, others = list[str](), list[str](), list[str]()
    async with (
        listening(options, mine.append) as hints,
        listening(options, theirs.append),
        listening(options, others.append),
    ):
        hints.tell([ROUTED])
        await until(lambda: theirs == others == [ROUTED])
        hints.tell([FEED, NOTIFY])
        await until(lambda: theirs == others == [ROUTED, FEED, NOTIFY])
    assert mine == []


async def test_what_comes_at_once_is_told_at_once(options: Options) -> None:
    heard: list[str] = []
    async with listening(options, lambda _: None) as hints, listening(options, heard.append):
        for _ in range(1_000):
            hints.tell([FEED])
            await asyncio.sleep(0)
        await until(lambda: bool(heard))
        hints.tell([NOTIFY])
        await until(lambda: NOTIFY in heard)
    assert heard.count(FEED) < 100


async def test_after_its_connection_was_cut_a_process_looks_around_and_hears_again(
    options: Options, cluster: Cluster
) -> None:
    heard: list[str] = []
    async with listening(options, lambda _: None, 0.05) as hints, listening(options, heard.append, 0.05):
        cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%hints'")
        await until(lambda: set(heard) >= EVERYTHING)
        heard.clear()

        async with asyncio.timeout(10):
            while ROUTED not in heard:
                hints.tell([ROUTED])
                await asyncio.sleep(0.02)


async def test_after_an_outage_of_the_server_processes_hear_each_other(options: Options, cluster: Cluster) -> None:
    heard: list[str] = []
    async with listening(options, lambda _: None, 0.05) as hints, listening(options, heard.append, 0.05):
        cluster.stop()
        hints.tell([NOTIFY])  # costs nothing, and fails nobody
        cluster.start()
        await until(lambda: NOTIFY in heard)


async def _write_many(store: PostgresStore, hints: PostgresHints, each: int) -> list[IncidentId]:
    made: list[IncidentId] = []
    for _ in range(each):
        incident = make_incident()
        async with store.transaction() as tx:
            await tx.write(make_opening(incident))
        made.append(incident.id)
        hints.tell([FEED])
    return made


async def _see(feed: Feed, after: Position, enough: int) -> list[FeedItem]:
    """The changes behind a position."""
    seen: list[FeedItem] = []
    async for found in feed.changes(TENANT, after, None, 1.0):
        if isinstance(found, FeedItem):
            seen.append(found)
        if len(seen) == enough:
            break
    return seen


async def test_watchers_in_two_processes_see_every_change_once_and_in_order_whoever_makes_it(
    options: Options, store: PostgresStore
) -> None:
    other, each = await open_store(options, make_id(), NOW), 100
    start = await store.feed_position()
    feeds = [Feed(store, poll=30.0), Feed(other, poll=30.0)]  # so that it is the hints that bring the news
    async with (
        listening(options, lambda _: feeds[0].wake()) as mine,
        listening(options, lambda _: feeds[1].wake()) as theirs,
        asyncio.timeout(30),
    ):
        running = [asyncio.create_task(feed.run()) for feed in feeds]
        watchers = [asyncio.create_task(_see(feed, start, 4 * each)) for feed in feeds]
        first, second, third, fourth = await asyncio.gather(
            _write_many(store, mine, each),
            _write_many(store, mine, each),
            _write_many(other, theirs, each),
            _write_many(other, theirs, each),
        )
        for feed in feeds:
            feed.wake()  # as each process does with what it has written itself
        seen, seen_elsewhere = await asyncio.gather(*watchers)
        resumed = await _see(feeds[1], seen[each].position, 3 * each - 1)
        for task in running:
            task.cancel()
    await other.close()
    assert [item.position for item in seen] == sorted({item.position for item in seen})
    assert seen == seen_elsewhere
    assert resumed == seen[each + 1 :]
    assert sorted(item.incident.id for item in seen) == sorted([*first, *second, *third, *fourth])
    places = dict(zip((item.incident.id for item in seen), count(), strict=False))
    for made in (first, second, third, fourth):
        assert [places[id_] for id_ in made] == sorted(places[id_] for id_ in made)

"""Work travels by Redis, and Redis is killed, emptied, frozen and come to late: each row is done once, in its lane's
order, and nothing stays behind in Redis."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.adapters.executor import ThreadExecutor
from llm_incident_manager.adapters.redis import reading, shards, streams
from llm_incident_manager.adapters.redis.clients import Deadlines
from llm_incident_manager.adapters.redis.connection import Connection
from llm_incident_manager.adapters.redis.streams import Streams
from llm_incident_manager.adapters.sqlite import store as sqlite
from llm_incident_manager.config import redis_urls
from llm_incident_manager.pipeline.buses import BROUGHT_WITHIN, CarriedBus, DatabaseBus
from llm_incident_manager.pipeline.outbox import Pump
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.bus import Depth
from llm_incident_manager.ports.changes import NOTIFY, Changes, OutboxRow
from llm_incident_manager.ports.stores import Store
from tests.support.builders import NOW, make_id, make_incident, make_work
from tests.support.redis import RedisCluster, RedisServer
from tests.support.waiting import until
from tests.support.world import world_on

EMPTY = Depth(0, 0)
CLOCK = SystemClock()


@dataclass
class Diary:
    """A handler that writes down what it has done: the fence in the database decides what counts."""

    done: list[OutboxRow] = field(default_factory=list)
    NAME = "diary"
    TOPIC = NOTIFY

    async def run(self, rows: Sequence[OutboxRow], tools: Tools) -> None:
        async with tools.store.transaction() as tx:
            ours = await tx.still_leased(rows)
            await tx.write(Changes(outbox_done=list(ours)))
        self.done += ours


@dataclass
class Process:
    """What a process has of its own: its connection, its bus, its pump."""

    bus: CarriedBus
    carrier: Streams
    connection: Connection
    tasks: list[asyncio.Task[None]]

    def shards(self) -> int:
        """How many it holds."""
        held = self.carrier._reader._topics.get(NOTIFY)
        return 0 if held is None else len(held.held)

    def received(self) -> int:
        """How many rows it has read, and not taken."""
        return sum(len(parcel.rows) for parcel in self.carrier._reader._read[NOTIFY])

    async def end(self) -> None:
        """As a kill would: nothing is given back."""
        self.carrier._reader._topics.clear()
        await self.stop()

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            _, alive = await asyncio.wait(self.tasks, timeout=10)
            if alive:
                for each in asyncio.all_tasks():
                    each.print_stack()
            assert not alive, "a task goes on although it was cancelled"
        self.tasks.clear()
        await self.connection.close()


@dataclass
class Deployment:
    """Processes on one database and one Redis."""

    store: Store
    url: str
    stack: AsyncExitStack
    diary: Diary = field(default_factory=Diary)

    async def process(self, name: str, *, works: bool = True) -> Process:
        """A process that is up."""
        connection = Connection(redis_urls.parse(self.url), Deadlines(0.5, 0.25), "test", lambda *_: None)
        carrier = Streams(connection, consumer=name, owner=f"{name}/1", shards=4)
        bus = CarriedBus(self.store, carrier, DatabaseBus(self.store))
        tools = replace(world_on(self.store).tools, clock=CLOCK)
        pump = Pump(self.diary, tools, name, lambda: False, bus=bus)
        running = [connection.run(), bus.run(), *([pump.run()] if works else [])]
        made = Process(bus, carrier, connection, [asyncio.ensure_future(each) for each in running])
        self.stack.push_async_callback(made.stop)
        await until(lambda: connection.up)
        return made

    async def write(self, process: Process, count: int, lanes: int = 7) -> list[OutboxRow]:
        """Commits rows, and publishes them from that process."""
        now = CLOCK.now()
        rows = [make_work(make_incident(), lane=f"lane-{n % lanes}", created_at=now, due_at=now) for n in range(count)]
        async with self.store.transaction() as tx:
            await tx.write(Changes(outbox=rows))
        process.bus.publish(rows)
        return rows

    async def all_done(self, rows: Sequence[OutboxRow], seconds: float = 15.0) -> None:
        """Returns when each was done; raises when one was done twice, or before an earlier one of its lane."""
        await until(lambda: len(self.diary.done) >= len(rows), seconds)
        assert Counter(row.id for row in self.diary.done) == Counter(row.id for row in rows)
        for lane in {row.lane for row in rows}:
            order = [row.id for row in self.diary.done if row.lane == lane]
            assert order == sorted(order)
        assert await self.store.backlog(NOTIFY) == (0, None)

    async def nothing_left(self, process: Process) -> None:
        """Returns when the streams hold nothing."""
        async with asyncio.timeout(10):
            while await process.bus.depth(NOTIFY) != EMPTY:  # noqa: ASYNC110 - Redis tells nobody
                await asyncio.sleep(0.02)


@asynccontextmanager
async def deployed(url: str) -> AsyncIterator[Deployment]:
    store = await sqlite.open_store(sqlite.Options(None, ThreadExecutor), make_id(), NOW)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        yield Deployment(store, url, stack)


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.remove()


@pytest.fixture
async def deployment(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Deployment]:
    monkeypatch.setattr(reading, "RENEW_SECONDS", 0.2)
    monkeypatch.setattr(shards, "LEASE_MILLISECONDS", 2_000)
    async with deployed(redis.url) as made:
        yield made


async def test_work_is_done_at_once_in_its_lanes_order_and_leaves_nothing_in_redis(deployment: Deployment) -> None:
    worker = await deployment.process("one")
    await until(lambda: worker.shards() == 4)
    written: list[OutboxRow] = []
    for _ in range(20):
        written += await deployment.write(worker, 30)
    await deployment.all_done(written)
    await deployment.nothing_left(worker)


async def test_one_process_does_what_another_one_writes(
    deployment: Deployment, redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_incident_manager.pipeline.buses.SWEEP", 10**12)  # Redis alone brings it
    writer = await deployment.process("writer", works=False)
    worker = await deployment.process("worker")
    await until(
        lambda: (
            len(worker.carrier._reader._topics[NOTIFY].held) == 4 if NOTIFY in worker.carrier._reader._topics else False
        )
    )
    await deployment.all_done(await deployment.write(writer, 50))
    await deployment.nothing_left(worker)


@pytest.mark.parametrize("harm", ["flush", "restart_empty"])
async def test_what_redis_forgets_the_database_has(deployment: Deployment, redis: RedisServer, harm: str) -> None:
    worker = await deployment.process("one")
    written = await deployment.write(worker, 200)
    getattr(redis, harm)()
    written += await deployment.write(worker, 200)
    await deployment.all_done(written)
    await until(lambda: worker.connection.up)
    written += await deployment.write(worker, 10)
    await deployment.all_done(written)
    await deployment.nothing_left(worker)


@pytest.mark.parametrize("harm", [("kill", "start"), ("freeze", "thaw")], ids=["killed", "frozen"])
async def test_while_redis_is_away_the_database_brings_the_work(
    deployment: Deployment, redis: RedisServer, harm: tuple[str, str]
) -> None:
    worker = await deployment.process("one")
    written = await deployment.write(worker, 100)
    getattr(redis, harm[0])()
    for _ in range(20):
        written += await deployment.write(worker, 5)
        await asyncio.sleep(0.02)
    await deployment.all_done(written)
    await until(lambda: not worker.connection.up)
    written += await deployment.write(worker, 5)
    await deployment.all_done(written, 1.0)

    getattr(redis, harm[1])()
    await until(lambda: worker.connection.up)
    written += await deployment.write(worker, 100)
    await deployment.all_done(written)
    await deployment.nothing_left(worker)


async def test_what_a_dead_process_had_received_another_one_finishes(deployment: Deployment) -> None:
    dead = await deployment.process("dead", works=False)
    now = CLOCK.now()
    await dead.bus.take(NOTIFY, "dead", now, now, 10)
    await until(lambda: dead.shards() == 4)
    written = await deployment.write(dead, 40)
    await until(lambda: dead.received() == 40)
    await dead.end()

    heir = await deployment.process("heir")
    await deployment.all_done(written)
    await deployment.nothing_left(heir)


async def test_two_processes_share_the_work_and_none_is_done_twice(deployment: Deployment) -> None:
    one, two = await deployment.process("one"), await deployment.process("two")
    await until(lambda: one.shards() == two.shards() == 2)
    written: list[OutboxRow] = []
    for _ in range(10):
        written += [*await deployment.write(one, 20), *await deployment.write(two, 20)]
    await deployment.all_done(written)
    await deployment.nothing_left(one)


async def test_a_process_that_is_stopped_at_any_moment_ends(deployment: Deployment) -> None:
    moments = random.Random(7)

    async def live(number: int) -> None:
        process = await deployment.process(f"brief-{number}")
        await deployment.write(process, 5)
        await asyncio.sleep(moments.random() * 0.3)
        await process.stop()

    for turn in range(5):
        await asyncio.gather(*(live(4 * turn + each) for each in range(4)))


async def test_work_that_comes_while_the_process_looks_for_old_work_is_not_late(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_incident_manager.pipeline.buses.SWEEP", 0)  # it looks each time
    worker = await deployment.process("one")
    await until(lambda: worker.shards() == 4)
    began = CLOCK.now()
    written: list[OutboxRow] = []
    for _ in range(60):
        written += await deployment.write(worker, 2)
        await asyncio.sleep(0.005)
    await deployment.all_done(written)
    assert CLOCK.now() - began < BROUGHT_WITHIN


async def test_a_stream_that_nobody_reads_is_bounded(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MOST_PARCELS", 20)
    writer = await deployment.process("writer", works=False)
    written: list[OutboxRow] = []
    for _ in range(60):
        written += await deployment.write(writer, 8)
        await asyncio.sleep(0.005)
    depth = await writer.bus.depth(NOTIFY)
    assert depth is not None
    assert depth.parcels <= 4 * 21
    worker = await deployment.process("worker")
    await deployment.all_done(written)
    await deployment.nothing_left(worker)


async def test_the_streams_of_a_cluster_lie_on_all_its_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "RENEW_SECONDS", 0.2)
    cluster = RedisCluster()
    try:
        async with deployed(cluster.url) as deployment:
            worker = await deployment.process("one")
            written = await deployment.write(worker, 100)
            await deployment.all_done(written)
            await deployment.nothing_left(worker)
    finally:
        cluster.remove()

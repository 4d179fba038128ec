"""Faults 10 and 11: Redis is stopped, swallows everything, and comes back empty; the database is the record."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import quantiles

from chaos.acks import Ack, AckLog, ack_log
from chaos.audit import audit
from chaos.provider import Provider, a_provider, config
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient, IncidentManagerError, RetryPolicy, pb
from tests.support.books import Books, books_in
from tests.support.proxy import FAIR, PARTITION, Proxy
from tests.support.redis import RedisServer
from tests.support.server import RunningServer, running_server

CALLERS = 4
PAUSE = 0.02


@dataclass(slots=True)
class Ingest:
    """Calls that are made once each; a call that fails is an ingest error. Every tenth event opens an incident."""

    log: AckLog
    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    incidents: set[str] = field(default_factory=set)
    stopping: bool = False
    running: int = 0

    async def stop(self) -> None:
        """Ends the calls; returns when the last one has its answer."""
        self.stopping = True
        async with asyncio.timeout(20):
            while self.running:
                await asyncio.sleep(0.01)
        await self.log.flush()

    async def run(self, client: IncidentClient, caller: int) -> None:
        """Calls until told to stop."""
        self.running += 1
        try:
            await self._call(client, caller)
        finally:
            self.running -= 1

    async def _call(self, client: IncidentClient, caller: int) -> None:
        number = 0
        while not self.stopping:
            number += 1
            new = f"{caller}-{number}" if number % 10 == 0 else f"old-{number % 9}"
            event = pb.Event(source="chaos", title="redis", dedup_key=new, severity="P1")
            started = time.monotonic()
            try:
                answer = await client.submit_event(event)
            except IncidentManagerError as error:
                self.errors.append(str(error))
                continue
            self.times.append(time.monotonic() - started)
            self.log.note(Ack("unary", "", answer.event_id))
            self.incidents.add(answer.incident_id)
            await asyncio.sleep(PAUSE)

    def p99(self) -> float:
        """Of the calls since it was asked last, in milliseconds."""
        times, self.times = self.times, []
        return quantiles(times, n=100)[98] * 1_000


@dataclass(frozen=True, slots=True)
class Scene:
    """Two processes whose work travels over Redis, a provider they tell, and calls that go on all the time."""

    redis: RedisServer
    way: Proxy
    provider: Provider
    ingest: Ingest
    books: Books
    env: dict[str, str]
    servers: Sequence[RunningServer]

    async def drained(self, seconds: float = 60.0) -> float:
        """Seconds until everything acknowledged by now was told."""
        started, wanted = time.monotonic(), set(self.ingest.incidents)
        await self.provider.until(lambda: wanted <= self.provider.incidents(), seconds)
        return time.monotonic() - started

    def repeats(self) -> int:
        """Messages that were delivered more than once."""
        return sum(count > 1 for count in self.provider.keys().values())


@asynccontextmanager
async def _scene(run: Run) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(ack_log(run.folder / "acks"))
        provider = await stack.enter_async_context(a_provider())
        cluster, database = await stack.enter_async_context(run.postgres())
        redis = await asyncio.to_thread(RedisServer)
        stack.callback(redis.remove)
        way = await stack.enter_async_context(Proxy("127.0.0.1", redis.port))
        env = {
            "DATABASE_URL": cluster.dsn(database),
            "REDIS_URL": f"redis://{way.address}/0",
            "LLM_IM__BUS__BACKEND": "redis",
        }
        told = config(provider, "pager")
        servers = [await stack.enter_async_context(running_server(env=env, config=told)) for _ in range(2)]
        ingest = Ingest(log)
        once = RetryPolicy(attempts=1, attempt_timeout=timedelta(seconds=10))
        async with AsyncExitStack() as calling:
            group = await calling.enter_async_context(asyncio.TaskGroup())
            for caller in range(CALLERS):
                client = IncidentClient(servers[caller % 2].grpc, retries=once, deadline=timedelta(seconds=10))
                stack.push_async_callback(client.aclose)
                group.create_task(ingest.run(client, caller))
            try:
                yield Scene(redis, way, provider, ingest, books_in(cluster, database), env, servers)
            finally:
                ingest.stopping = True


async def _outcome(scene: Scene, figures: Sequence[Figure]) -> Outcome:
    """Ingest has stopped: holds its log against the record."""
    found = await audit(scene.ingest.log.read(), scene.books, scene.env)
    errors = Figure("ingest errors", len(scene.ingest.errors), most=0)
    ended = [s.log[-600:] for s in scene.servers if s.process is not None and s.process.returncode is not None]
    wrong = [*found.wrong, *scene.ingest.errors[:3], *(f"a server has ended: {log}" for log in ended)]
    return Outcome([errors, *figures], found.acked, found.lost, found.doubled, wrong=wrong)


@fault(10, "Redis is stopped, then swallows everything", part="Redis",
       limit="ingest errors 0, p99 <= 2x + 50 ms, drained <= 30 s after the return, no effect twice")  # fmt: skip
async def gone(run: Run) -> Outcome:
    """It is stopped for a while and comes back empty, then its network is a black hole for as long."""
    away = run.size(6, 60)
    async with _scene(run) as scene:
        await asyncio.sleep(run.size(3, 10))
        before = scene.ingest.p99()
        await asyncio.to_thread(scene.redis.kill)
        await asyncio.sleep(away)
        stopped = scene.ingest.p99()
        await asyncio.to_thread(scene.redis.start)
        first = await scene.drained()
        scene.ingest.p99()
        scene.way.weather = PARTITION
        await asyncio.sleep(away)
        swallowed = scene.ingest.p99()
        scene.way.weather = FAIR
        second = await scene.drained()
        await scene.ingest.stop()
        await scene.drained()
        figures = [
            Figure("away, twice", away, "s"),
            Figure("p99 before", before, "ms"),
            Figure("p99 while stopped", stopped, "ms", most=2 * before + 50),
            Figure("p99 while swallowed", swallowed, "ms", most=2 * before + 50),
            Figure("slowest to drain", max(first, second), "s", most=30),
            Figure("messages", len(scene.provider.keys()), least=1),
            Figure("delivered more than once", scene.repeats(), most=0),
        ]
        return await _outcome(scene, figures)


@fault(11, "Redis comes back empty (FLUSHALL)", part="Redis", limit="no lost work, no effect twice")
async def flushed(run: Run) -> Outcome:
    """Again and again while work travels over it."""
    flushes = run.size(5, 60)
    async with _scene(run) as scene:
        for _ in range(flushes):
            await asyncio.sleep(run.chance.uniform(0.2, 1.0))
            await asyncio.to_thread(scene.redis.flush)
        drained = await scene.drained()
        await scene.ingest.stop()
        await scene.drained()
        figures = [
            Figure("flushes", flushes),
            Figure("drained after the last within", drained, "s", most=30),
            Figure("messages", len(scene.provider.keys()), least=1),
            Figure("delivered more than once", scene.repeats(), most=0),
        ]
        return await _outcome(scene, figures)

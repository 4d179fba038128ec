"""Faults 19, 36 and 58: a telemetry collector that is gone, a steady load for a while, and the event loop meanwhile."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from statistics import linear_regression, median, quantiles

import aiohttp
import psutil
from aiohttp import web

from chaos.acks import ack_log
from chaos.audit import audit
from chaos.load import Load, Shape
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Profile, Run
from llm_incident_client import IncidentClient, pb
from tests.support.books import books_of
from tests.support.http import whole
from tests.support.server import RunningServer, free_port, running_server

MIB = 1024 * 1024
LAG = {Profile.CI: 0.5, Profile.LONG: 0.25, Profile.FULL: 0.25}
"""Seconds. In the short profile the machine may be anybody's, so that the loop waits for a processor now and then."""
NOISE = {Profile.CI: 50.0, Profile.LONG: 5.0, Profile.FULL: 5.0}
"""Milliseconds, in the same way."""
GROWN = {Profile.CI: 48.0, Profile.LONG: 16.0, Profile.FULL: 16.0}
"""MiB. Seconds do not fill its caches, which grow over the first 200,000 events (`--profile long` watches longer)."""
STEADY = Shape(frame=100, pause=0.05, unary=2, rest=2)


@dataclass(slots=True)
class Watch:
    """What a server's process used, second by second."""

    at: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    tasks: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)

    def growth_an_hour(self) -> float:
        """The slope of the memory in MiB an hour."""
        return linear_regression(self.at, self.rss).slope * 3_600 / MIB

    def grown(self, values: Sequence[float]) -> float:
        """By how much the last third is above the first, at their medians."""
        third = max(1, len(values) // 3)
        return median(values[-third:]) - median(values[:third])


@asynccontextmanager
async def watched(server: RunningServer) -> AsyncIterator[Watch]:
    """Looks while the block runs."""
    assert server.process is not None
    process, watch = psutil.Process(server.process.pid), Watch()

    async def look() -> None:
        async with aiohttp.ClientSession(server.http) as session:
            while True:
                page = await scraped(session)
                watch.at.append(time.monotonic())
                watch.rss.append(process.memory_info().rss)
                watch.descriptors.append(process.num_fds())
                watch.tasks.append(page["event_loop_tasks"])
                watch.lags.append(page["event_loop_lag_longest_seconds"])
                await asyncio.sleep(0.5)

    looking = asyncio.create_task(look())
    try:
        yield watch
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def scraped(session: aiohttp.ClientSession) -> dict[str, float]:
    """The server's own metrics by name and labels."""
    page = await whole(session.get("/metrics"))
    told = [line.rpartition(" ") for line in page.text.splitlines() if line.startswith("incident_manager_")]
    return {name.removeprefix("incident_manager_"): float(value) for name, _, value in told}


@fault(36, "a steady load for a while", part="SQLite",
       limit="memory, descriptors and tasks flat; event loop never late by more than 250 ms (58)")  # fmt: skip
async def soak(run: Run) -> Outcome:
    """First it fills its caches, then it is watched. In the long profile the slope of its memory counts."""
    warm, seconds = run.size(5, 300), run.size(9, 1_800)
    async with ack_log(run.folder / "acks") as log, running_server() as server:
        load = Load("soak", run.chance, log, STEADY)
        async with load.running(server.grpc, server.http):
            await asyncio.sleep(warm)
            async with watched(server) as watch:
                await asyncio.sleep(seconds)
        await server.terminate()
        with books_of(server.data) as books:
            found = await audit(log.read(), books, {"DATABASE_URL": f"sqlite:///{server.data}"})
    # Over seconds a slope is noise.
    slope = [Figure("slope of the memory", watch.growth_an_hour(), "MiB/h", most=24)] if run.size(0, 1) else []
    figures = [
        Figure("watched for", seconds, "s"),
        Figure("memory grew by", watch.grown(watch.rss) / MIB, "MiB", most=GROWN[run.profile]),
        *slope,
        Figure("descriptors grew by", watch.grown(watch.descriptors), most=4),
        Figure("tasks grew by", watch.grown(watch.tasks), most=4),
        Figure("longest lag of the event loop", max(watch.lags), "s", most=LAG[run.profile]),
    ]
    return Outcome(figures, found.acked, found.lost, found.doubled, wrong=[*found.wrong, *load.errors])


@fault(58, "the event loop under kills of the database", part="PostgreSQL", limit="never late by more than 250 ms")
async def loop_lag(run: Run) -> Outcome:
    """What the server's own watch saw while its database was killed under load."""
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(ack_log(run.folder / "acks"))
        cluster, database = await stack.enter_async_context(run.postgres())
        server = await stack.enter_async_context(running_server(env={"DATABASE_URL": cluster.dsn(database)}))
        load = Load("lag", run.chance, log, STEADY)
        async with load.running(server.grpc, server.http), watched(server) as watch:
            for _ in range(run.size(1, 20)):
                await log.reaches(log.counted + 500)
                await asyncio.to_thread(cluster.kill)
                await asyncio.to_thread(cluster.start)
            await log.reaches(log.counted + 500)
            await asyncio.sleep(1)
    return Outcome(
        [Figure("longest lag of the event loop", max(watch.lags), "s", most=LAG[run.profile])], acked=log.counted
    )


@fault(19, "the collector of traces is dead, or swallows everything", part="SQLite",
       limit="ingest p99 as with a well collector (+10 %, and the machine's noise), memory bounded")  # fmt: skip
async def collector(run: Run) -> Outcome:
    """The same calls are timed in turns on servers whose collector is well, dead, and a black hole."""
    servers: dict[str, RunningServer] = {}
    async with _collectors() as places:
        times: dict[str, list[float]] = {name: [] for name in places}
        async with AsyncExitStack() as stack:
            for name, url in places.items():
                env = {"LLM_IM__TRACES__ENDPOINT": url}
                servers[name] = await stack.enter_async_context(running_server(env=env))
            before = {name: _rss(server) for name, server in servers.items()}
            for turn in range(run.size(6, 60)):
                for name, server in servers.items():
                    times[name] += await _timed(server, f"{name}-{turn}", 100)
            grown = max(_rss(server) - before[name] for name, server in servers.items()) / MIB
    noise = NOISE[run.profile]
    p99 = {name: quantiles(values, n=100)[98] * 1_000 for name, values in times.items()}
    figures = [
        Figure("p99 with a well collector", p99["well"], "ms"),
        *(
            Figure(f"p99 with a {name} one", p99[name], "ms", most=1.1 * p99["well"] + noise)
            for name in ("dead", "deaf")
        ),
        Figure("memory grew by at most", grown, "MiB", most=64),
    ]
    return Outcome(figures)


@asynccontextmanager
async def _collectors() -> AsyncIterator[dict[str, str]]:
    """Where traces go: to one who takes them, to nobody, and to one who listens and never says a word."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        ports = {"well": runner.addresses[0][1], "dead": free_port(), "deaf": deaf.getsockname()[1]}
        yield {name: f"http://127.0.0.1:{port}/v1/traces" for name, port in ports.items()}
    await runner.cleanup()


async def _timed(server: RunningServer, name: str, number: int) -> list[float]:
    """Seconds that each of so many calls took, four at a time."""
    times: list[float] = []
    async with IncidentClient(server.grpc) as client:

        async def call(caller: int) -> None:
            for each in range(number // 4):
                event = pb.Event(source="chaos", title="timed", dedup_key=f"{name}-{caller}-{each % 10}")
                started = time.monotonic()
                await client.submit_event(event)
                times.append(time.monotonic() - started)

        await asyncio.gather(*map(call, range(4)))
    return times


def _rss(server: RunningServer) -> int:
    assert server.process is not None
    return int(psutil.Process(server.process.pid).memory_info().rss)

"""Fault 21: the network between a client and its server, and between processes and their database, misbehaves."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

from chaos.acks import Ack, AckLog, ack_log
from chaos.audit import audit
from chaos.load import QUICK, Load, Shape, first_ack
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient, Phase, StreamOptions, StreamState, pb
from tests.support.books import Books, books_in, books_of
from tests.support.proxy import FAIR, LEFT_ALONE, PARTITION, Fate, Proxy, Weather
from tests.support.server import RunningServer, running_server

NODES = 3
PROBLEMS = 200
QUIET = Shape(frame=20, pause=0.1, unary=2, rest=1)
STORMS = (
    PARTITION,
    Weather(held_up=True),
    Weather(held_down=True),
    Weather(loss=0.2),
    Weather(delay=0.05, loss=0.2),
    Weather(slices=1),
)


class RandomCuts:
    """Cuts so many connections, each after a random number of bytes in a random direction, by reset or by close."""

    def __init__(self, cuts: int, mean_bytes: int, chance: random.Random) -> None:
        """After the last cut connections are left alone."""
        self.left = cuts
        self._mean = mean_bytes
        self._chance = chance

    def __call__(self) -> Fate:
        """The fate of the next connection."""
        if self.left == 0:
            return LEFT_ALONE
        self.left -= 1
        after = 1 + int(self._chance.expovariate(1 / self._mean))
        reset = self._chance.random() < 0.5
        return Fate(up=after, reset=reset) if self._chance.random() < 0.5 else Fate(down=after, reset=reset)


@fault(21, "a stream that is cut at random bytes, by reset or close", part="stream",
       limit="every event stored and counted once; each connection has a new epoch")  # fmt: skip
async def stream_cuts(run: Run) -> Outcome:
    """Events without idempotency keys: only their sequence numbers keep a repeat from counting."""
    events, wanted = run.size(10_000, 100_000), run.size(30, 200)
    states: list[StreamState] = []
    cuts = RandomCuts(wanted, events * 50 // wanted, run.chance)
    async with ack_log(run.folder / "acks") as log, running_server() as server:
        async with Proxy("127.0.0.1", server.grpc_port, cuts) as proxy, IncidentClient(proxy.address) as client:
            options = StreamOptions(backoff=QUICK, on_state=states.append)
            async with client.event_stream("cut", options) as stream:
                frames = [range(start, min(start + 100, events)) for start in range(0, events, 100)]
                batches = [await stream.send_many(map(_event, frame)) for frame in frames]
            log.note(*(Ack("stream", "", result.event_id) for batch in batches for result in batch.result()))
            await log.flush()
            done = proxy.cuts
        await server.terminate()
        with books_of(server.data) as books:
            found = await audit(log.read(), books, {"DATABASE_URL": f"sqlite:///{server.data}"})
            counted = books.events_of_incidents()
    epochs = [state.epoch for state in states if state.phase is Phase.OPEN]
    wrong = [] if epochs == sorted(set(epochs)) else [f"epochs do not rise: {epochs}"]
    figures = [Figure("cuts", done, least=wanted), Figure("counted by incidents", counted, least=events, most=events)]
    return Outcome(figures, found.acked, found.lost, found.doubled, wrong=[*found.wrong, *wrong])


def _event(number: int) -> pb.Event:
    return pb.Event(source="proof", title="provider fails", kind="provider_outage", service=f"s{number % PROBLEMS}")


@fault(21, "partitions, one-way loss, swizzle-clog between three processes and PostgreSQL", part="nodes",
       limit="lost 0, doubled 0, one effect each though leases change hands; works <= 15 s after")  # fmt: skip
async def nodes(run: Run) -> Outcome:
    """Each process has its own way to the database; ways are clogged in random order and cleared in another."""
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(ack_log(run.folder / "acks"))
        cluster, database = await stack.enter_async_context(run.postgres())
        ways = [await stack.enter_async_context(Proxy("127.0.0.1", cluster.port)) for _ in range(NODES)]
        loads: list[Load] = []
        servers: list[RunningServer] = []
        async with AsyncExitStack() as working:
            for number, way in enumerate(ways):
                env = {"DATABASE_URL": f"postgresql://postgres@{way.address}/{database}"}
                server = await working.enter_async_context(running_server(env=env))
                servers.append(server)
                loads.append(Load(f"node-{number}", run.chance, log, QUIET))
                await working.enter_async_context(loads[-1].running(server.grpc, server.http))
            await log.reaches(300)
            storms = [await _swizzle(run, ways, servers, log) for _ in range(run.size(2, 20))]
        books = books_in(cluster, database)
        found = await audit(log.read(), books, {"DATABASE_URL": cluster.dsn(database)})
        wrong = [*found.wrong, *_told_twice(books), *(error for load in loads for error in load.errors)]
    figures = [
        Figure("clogged ways", NODES * len(storms)),
        Figure("connections", sum(way.connections for way in ways)),
        Figure("slowest to work again", max(storms), "s", most=15),
    ]
    return Outcome(figures, found.acked, found.lost, found.doubled, wrong=wrong)


async def _swizzle(run: Run, ways: Sequence[Proxy], servers: Sequence[RunningServer], log: AckLog) -> float:
    """Clogs the ways one after the other and clears them in another order; seconds until all work again."""
    for way in run.chance.sample(ways, len(ways)):
        way.chance = run.chance
        way.weather = run.chance.choice(STORMS)
        if run.chance.random() < 0.3:
            way.cut(reset=run.chance.random() < 0.5)
        await asyncio.sleep(run.chance.uniform(0.3, 2.0))
    for way in run.chance.sample(ways, len(ways)):
        way.weather = FAIR
        await asyncio.sleep(run.chance.uniform(0.1, 0.8))
    started = time.monotonic()
    storm = f"storm-{log.counted}"
    await asyncio.gather(*(first_ack(server.grpc, f"{storm}-{server.grpc_port}", log, 60) for server in servers))
    return time.monotonic() - started


def _told_twice(books: Books) -> Sequence[str]:
    """A message has one delivery, and each that was sent one entry in its incident's timeline."""
    told = books.number("SELECT count(*) FROM timeline WHERE kind = 'NOTIFIED'")
    sent = books.number("SELECT count(*) FROM delivery WHERE state <> 'pending'")
    return [] if told == sent else [f"{told} timeline entries tell of {sent} messages"]

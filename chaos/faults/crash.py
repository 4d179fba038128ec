"""Faults 1 and 4: processes end by kill -9, the server's and the database's, at random points and at the worst one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

from chaos.acks import AckLog, ack_log
from chaos.audit import audit
from chaos.load import Load, Shape, filled, first_ack
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import waited
from tests.support.books import Books, books_in, books_of
from tests.support.redis import RedisServer
from tests.support.server import RunningServer, running_server

TITLE = "kill -9 at random points under unary, stream and REST"
LIMIT = "lost 0, doubled 0, one open incident a fingerprint, ledger exact, restart to first ack <= 5 s"
Blow = Callable[[], Awaitable[None]]


@fault(1, TITLE, limit=LIMIT, part="SQLite")
async def sqlite(run: Run) -> Outcome:
    """One process and its file."""
    async with ack_log(run.folder / "acks") as log, running_server() as server:
        await filled(server.grpc, run.size(20_000, 1_000_000, 1_000_000), log)
        restart = Restarts(server, log)
        blows: list[Blow] = [restart.blow]
        await under_load(run, [server], log, blows)
        await ended(server)
        env = {"DATABASE_URL": f"sqlite:///{server.data}"}
        with books_of(server.data) as books:
            return await outcome(run, log, books, env, [restart])


@fault(1, TITLE, limit=LIMIT, part="PostgreSQL, Redis")
async def postgres(run: Run) -> Outcome:
    """Two processes on one database, with Redis between them; all four are killed in turn."""
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(ack_log(run.folder / "acks"))
        cluster, database = await stack.enter_async_context(run.postgres())
        redis = await asyncio.to_thread(RedisServer)
        stack.callback(redis.remove)
        env = {"DATABASE_URL": cluster.dsn(database), "REDIS_URL": redis.url, "LLM_IM__BUS__BACKEND": "redis"}
        servers = [await stack.enter_async_context(running_server(env=env)) for _ in range(2)]
        await filled(servers[0].grpc, run.size(10_000, 1_000_000, 1_000_000), log)
        restarts = [Restarts(server, log) for server in servers]

        async def kill_database() -> None:
            await asyncio.to_thread(cluster.kill)
            await asyncio.to_thread(cluster.start)

        async def kill_redis() -> None:
            await asyncio.to_thread(redis.restart_empty)

        await under_load(run, servers, log, [restarts[0].blow, restarts[1].blow, kill_database, kill_redis])
        for server in servers:
            await ended(server)
        return await outcome(run, log, books_in(cluster, database), env, restarts)


async def ended(server: RunningServer) -> None:
    """Ends it in good order, and shows what it was doing when it does not."""
    try:
        await server.terminate()
    except TimeoutError as error:
        error.add_note(f"SIGTERM did not end it: {server.log[-600:]}")
        raise


class Restarts:
    """Kills a server and starts it again; notes how long it took until it acknowledged something: `seconds`, and
    `working`, which leaves out what it waited for a processor that somebody else had."""

    def __init__(self, server: RunningServer, log: AckLog) -> None:
        """What it acknowledges is noted in the log as well."""
        self._server = server
        self._log = log
        self.seconds: list[float] = []
        self.working: list[float] = []

    async def blow(self) -> None:
        """One blow."""
        await self._server.kill()
        started = time.monotonic()
        await self._server.start()
        await first_ack(self._server.grpc, f"first-{self._server.grpc_port}-{len(self.seconds)}", self._log)
        self.seconds.append(time.monotonic() - started)
        self.working.append(self.seconds[-1] - waited(self._server))


async def under_load(run: Run, servers: Sequence[RunningServer], log: AckLog, blows: Sequence[Blow]) -> None:
    """Lets the blows fall at random moments, each when the system works again after the one before."""
    before, kills, wanted = log.counted, run.size(7, 40, 200), run.size(0, 20_000, 100_000)
    shape = Shape(pause=0.05 * len(servers))
    loads = [Load(f"load-{number}", run.chance, log, shape) for number, _ in enumerate(servers)]
    try:
        async with AsyncExitStack() as stack:
            for load, server in zip(loads, servers, strict=True):
                await stack.enter_async_context(load.running(server.grpc, server.http))
            for number in range(kills):
                await asyncio.sleep(run.chance.uniform(0.02, 0.6))
                await blows[number % len(blows)]()
                await log.reaches(max(log.counted + 1, before + wanted * number // kills), seconds=120)
            await log.reaches(before + wanted, seconds=600)
    except BaseException as error:
        for server in servers:
            error.add_note("\n".join(line for line in server.log.splitlines() if "call.failed" in line)[-1_000:])
        raise
    if errors := [error for load in loads for error in load.errors]:
        raise AssertionError(f"{len(errors)} refusals of well-formed events, such as {errors[0]}")


async def outcome(run: Run, log: AckLog, books: Books, env: Mapping[str, str], restarts: Sequence[Restarts]) -> Outcome:
    """The row of a load that was killed again and again. In the short profile the machine may be anybody's."""
    found = await audit(log.read(), books, env)
    seconds = [each for restart in restarts for each in restart.seconds]
    working = [each for restart in restarts for each in restart.working]
    figures = [
        Figure("kills of servers", len(seconds)),
        Figure("slowest restart to first ack", max(seconds), "s", most=run.size(20, 5)),
        Figure("without waits for a processor", max(working), "s", most=5),
    ]
    return Outcome(figures, found.acked, found.lost, found.doubled, wrong=found.wrong)

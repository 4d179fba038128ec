"""Fault 12: PostgreSQL crashes and restarts at once, again and again, and hangs."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

from chaos.acks import AckLog, ack_log
from chaos.audit import audit
from chaos.load import Load, first_ack
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient, IncidentManagerError, RetryPolicy, pb
from tests.support.books import books_in
from tests.support.postgres import Cluster
from tests.support.server import RunningServer, running_server

POOL = 8
HINTS = 1
"""One more connection listens for hints of other processes."""
DEADLINE = 3.0
HUNG = "while-it-hung"
"""The key of an event that is sent while nobody answers; whether it was stored then shows when it is sent again."""


@fault(12, "PostgreSQL crashes and starts again at once, and hangs", part="PostgreSQL",
       limit="lost 0, doubled 0, works <= 10 s after it accepts, pool its size, calls end in time")  # fmt: skip
async def outages(run: Run) -> Outcome:
    """Immediate restarts under load, then a stalled server, under the same load."""
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(ack_log(run.folder / "acks"))
        cluster, database = await stack.enter_async_context(run.postgres())
        env = {"DATABASE_URL": cluster.dsn(database), "DATABASE_POOL_SIZE": str(POOL)}
        server = await stack.enter_async_context(running_server(env=env))
        load, recoveries = Load("outage", run.chance, log), list[float]()
        async with load.running(server.grpc, server.http):
            for number in range(run.size(3, 10)):
                await log.reaches(log.counted + 100)
                recoveries.append(await _crashed(cluster, server, log, f"crash-{number}"))
            await log.reaches(log.counted + 100)
            slowest = await _hanging(cluster, server, run.size(4, 30))
            thawed = time.monotonic()
            await first_ack(server.grpc, HUNG, log)
            recoveries.append(time.monotonic() - thawed)
        pool = await _connections(cluster, database)
        await server.terminate()
        found = await audit(log.read(), books_in(cluster, database), env)
    figures = [
        Figure("crashes", len(recoveries) - 1),
        Figure("slowest recovery", max(recoveries), "s", most=10),
        Figure("slowest call while it hung", slowest, "s", most=DEADLINE + 0.5),
        Figure("connections", pool, most=POOL + HINTS),
    ]
    return Outcome(figures, found.acked, found.lost, found.doubled, wrong=[*found.wrong, *load.errors])


async def _crashed(cluster: Cluster, server: RunningServer, log: AckLog, key: str) -> float:
    """Seconds from when it accepts connections again to the first acknowledgement."""
    await asyncio.to_thread(cluster.stop, signal.SIGQUIT)
    await asyncio.to_thread(cluster.start)
    accepts = time.monotonic()
    await first_ack(server.grpc, key, log)
    return time.monotonic() - accepts


async def _hanging(cluster: Cluster, server: RunningServer, seconds: float) -> float:
    """The longest that any call of a caller took who gave each so many seconds."""
    cluster.pause()
    try:
        until, slowest = time.monotonic() + seconds, 0.0
        once = RetryPolicy(attempts=1, attempt_timeout=timedelta(seconds=DEADLINE))
        async with IncidentClient(server.grpc, retries=once, deadline=timedelta(seconds=DEADLINE)) as client:
            calls: list[Callable[[], Awaitable[object]]] = [
                lambda: client.submit_event(
                    pb.Event(source="chaos", title="t", dedup_key="first", idempotency_key=HUNG)
                ),
                client.list_incidents,
                lambda: client.get_incident("INC-20260101-00001"),
            ]
            while time.monotonic() < until:
                slowest = max(slowest, *await asyncio.gather(*map(_timed, calls * 5)))
    finally:
        cluster.resume()
    return slowest


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    started = time.monotonic()
    try:
        await call()
    except IncidentManagerError as error:
        if error.code.name not in {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}:
            raise
    return time.monotonic() - started


async def _connections(cluster: Cluster, database: str) -> int:
    where = f"datname = '{database}' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    return int(await asyncio.to_thread(cluster.sql, f"SELECT count(*) FROM pg_stat_activity WHERE {where}"))

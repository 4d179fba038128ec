"""Fault 16: a process stops for longer than its lease and wakes up again, or never does."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import aiohttp

from chaos import hasty_server
from chaos.faults.effects import submit
from chaos.provider import Call, Provider, a_provider, config, well
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient, pb
from llm_incident_manager.pipeline.outbox import LEASE_SECONDS
from tests.support.http import whole
from tests.support.postgres import Cluster
from tests.support.server import RunningServer, running_server

LEASE = 2
INCIDENTS = 5
RESUMED_SECONDS = 60
EFFECTS = (
    "SELECT (SELECT count(*) FROM timeline WHERE kind = 'NOTIFIED') || '|' || "
    "(SELECT count(*) FROM delivery WHERE state = 'sent' AND attempts = 1)"
)


class Held:
    """A provider that says yes to nobody until `answers` is set."""

    def __init__(self) -> None:
        """Holds."""
        self.answers = asyncio.Event()

    async def behave(self, _: Call) -> int:
        """Waits, then says yes."""
        await self.answers.wait()
        return 200


@asynccontextmanager
async def _at_work(run: Run, lease: int) -> AsyncIterator[tuple[Provider, Held, RunningServer, Cluster, str]]:
    """A server that has sent its messages and waits for the provider's answers; and the database it works on."""
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(a_provider())
        cluster, database = await stack.enter_async_context(run.postgres())
        held = Held()
        provider.behave = held.behave
        server = await stack.enter_async_context(_server(provider, cluster, database, lease))
        async with IncidentClient(server.grpc) as client:
            names = [f"lease-{number}" for number in range(INCIDENTS)]
            await client.submit_events(pb.Event(source="chaos", title=n, dedup_key=n, severity="P1") for n in names)
        await provider.until(lambda: len(provider.calls) == INCIDENTS)
        yield provider, held, server, cluster, database


def _server(
    provider: Provider, cluster: Cluster, database: str, lease: int
) -> AbstractAsyncContextManager[RunningServer]:
    env = {**hasty_server.environment(lease), "DATABASE_URL": cluster.dsn(database)}
    return running_server(env=env, config=config(provider, "pager", timeout=30), program=hasty_server.PROGRAM)


@fault(16, "a worker stops for twice its lease and goes on", part="paused",
       limit="somebody else does its work, its late write is refused, exactly one effect")  # fmt: skip
async def paused(run: Run) -> Outcome:
    """It is stopped while the provider's yes is on its way to it."""
    async with _at_work(run, LEASE) as (provider, held, first, cluster, database):
        assert first.process is not None
        first.process.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        held.answers.set()
        provider.behave = well
        async with _server(provider, cluster, database, LEASE) as second:
            await provider.until(lambda: len(provider.delivered) == 2 * INCIDENTS)
            await asyncio.sleep(max(0.0, 2 * LEASE - (time.monotonic() - stopped)))
            first.process.send_signal(signal.SIGCONT)
            async with IncidentClient(first.grpc) as client:  # it works again, so that its late writes are behind it
                await submit(client, "afterwards")
            await provider.until(lambda: len(provider.delivered) == 2 * INCIDENTS + 1)
            effects = await _effects(cluster, database, INCIDENTS + 1)
            sent = [await _sent(server) for server in (first, second)]
    figures = [
        Figure("messages", INCIDENTS + 1),
        Figure("keys", len(provider.keys()), least=INCIDENTS + 1, most=INCIDENTS + 1),
        Figure("timeline entries", effects[0], least=INCIDENTS + 1, most=INCIDENTS + 1),
        Figure("deliveries sent at their first attempt", effects[1], least=INCIDENTS + 1, most=INCIDENTS + 1),
        Figure("counted as sent by both", sum(sent), least=INCIDENTS + 1, most=INCIDENTS + 1),
    ]
    return Outcome(figures)


@fault(16, "a worker is lost with its leases", part="lost", limit="its work is resumed by another process <= 60 s")
async def lost(run: Run) -> Outcome:
    """It is killed while the provider thinks; in the long profile the lease is the product's own."""
    lease = run.size(LEASE, LEASE_SECONDS)
    async with (
        _at_work(run, lease) as (provider, held, first, cluster, database),
        _server(provider, cluster, database, lease),
    ):
        await first.kill()
        killed = time.monotonic()
        provider.behave = well
        held.answers.set()
        await provider.until(lambda: len(provider.calls) == 2 * INCIDENTS, seconds=90)
        resumed = time.monotonic() - killed
        effects = await _effects(cluster, database, INCIDENTS)
    figures = [
        Figure("lease", lease, "s"),
        Figure("work resumed after", resumed, "s", most=min(RESUMED_SECONDS, lease + 5)),
        Figure("timeline entries", effects[0], least=INCIDENTS, most=INCIDENTS),
        Figure("keys", len(provider.keys()), least=INCIDENTS, most=INCIDENTS),
    ]
    return Outcome(figures)


async def _effects(cluster: Cluster, database: str, wanted: int) -> list[int]:
    """Timeline entries that tell of a message, and messages that are sent; once there are enough, or soon."""
    found = [0, 0]
    for _ in range(50):
        found = [int(each) for each in cluster.sql(EFFECTS, database).split("|")]
        if min(found) >= wanted:
            await asyncio.sleep(0.5)  # whoever is late has its chance
            return [int(each) for each in cluster.sql(EFFECTS, database).split("|")]
        await asyncio.sleep(0.1)
    return found


async def _sent(server: RunningServer) -> float:
    name = 'incident_manager_notifications_sent_total{channel="pager"}'
    async with aiohttp.ClientSession(server.http) as session:
        page = await whole(session.get("/metrics"))
    return sum(float(line.rpartition(" ")[2]) for line in page.text.splitlines() if line.startswith(name))

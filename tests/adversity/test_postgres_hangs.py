"""A server whose database hangs, or whose connections are all taken: every call fails in time and says to come back."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import asyncpg
import pytest

from llm_incident_client import IncidentClient, IncidentManagerError, RetryPolicy, pb
from tests.support.postgres import Cluster
from tests.support.server import RunningServer, running_server, status_of

ACQUIRE, STATEMENT, LOCK = 0.4, 0.8, 0.3
LONGEST = timedelta(seconds=8)
"""What the client gives each call; the server's own limits end it long before, even on a busy machine."""
ENV = {
    "LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true",
    "LLM_IM__STORAGE__ACQUIRE_TIMEOUT_SECS": str(ACQUIRE),
    "LLM_IM__STORAGE__STATEMENT_TIMEOUT_SECS": str(STATEMENT),
    "LLM_IM__STORAGE__LOCK_TIMEOUT_SECS": str(LOCK),
    "DATABASE_POOL_SIZE": "4",
}
IN_TIME = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}
Call = Callable[[], Awaitable[object]]


@asynccontextmanager
async def a_server(cluster: Cluster, database: str) -> AsyncIterator[tuple[RunningServer, IncidentClient]]:
    """A server with hasty limits, and a client that tries once."""
    once = RetryPolicy(attempts=1, attempt_timeout=LONGEST)
    async with (
        running_server(env={**ENV, "DATABASE_URL": cluster.dsn(database)}) as server,
        IncidentClient(server.grpc, retries=once, deadline=LONGEST) as client,
    ):
        yield server, client


async def failed(call: Call) -> tuple[str, float | None, float]:
    """The code a call fails with, when to come back, and how long it took."""
    started = time.monotonic()
    with pytest.raises(IncidentManagerError) as error:
        await call()
    return error.value.code.name, error.value.retry_after, time.monotonic() - started


def every_kind(client: IncidentClient, incident: str, event: str) -> list[Call]:
    """One call of each kind: ingest, single reads, lists, writes."""
    trigger = pb.Event(source="proof", title="it fails")
    return [
        lambda: client.submit_event(trigger),
        lambda: client.submit_events([trigger, trigger]),
        lambda: client.get_event(event),
        lambda: client.explain_event(event),
        lambda: client.get_incident(incident),
        client.list_incidents,
        lambda: client.list_timeline(incident),
        lambda: client.create_incident(source="hand", title="by hand"),
        lambda: client.acknowledge(incident, actor="ann"),
        lambda: client.add_note(incident, "a note", actor="ann"),
    ]


async def works(client: IncidentClient) -> None:
    """Returns once events are taken again."""
    async with asyncio.timeout(15):
        while True:
            try:
                await client.submit_event(pb.Event(source="proof", title="it fails"))
            except IncidentManagerError:
                await asyncio.sleep(0.05)
            else:
                return


async def test_while_the_database_hangs_every_call_fails_within_its_deadline(cluster: Cluster, database: str) -> None:
    async with a_server(cluster, database) as (server, client):
        taken = await client.submit_event(pb.Event(source="proof", title="it fails"))
        calls = every_kind(client, taken.incident_id, taken.event_id)
        cluster.pause()
        try:
            outcomes = await asyncio.gather(*map(failed, calls * 4))
            assert {code for code, _, _ in outcomes} <= IN_TIME
            assert all(hint for code, hint, _ in outcomes if code == "UNAVAILABLE")
            assert max(took for _, _, took in outcomes) < LONGEST.total_seconds()
            assert await status_of(server.http_port, "/health/live") == 200
            started = time.monotonic()
            assert await status_of(server.http_port, "/health/ready") == 503
            async with aiohttp.request("GET", f"{server.http}/api/v1/incidents") as reply:
                assert reply.status == 503
                assert "Retry-After" in reply.headers
            assert time.monotonic() - started < LONGEST.total_seconds()
        finally:
            cluster.resume()
        await works(client)


async def test_a_short_deadline_is_kept_while_the_database_hangs(cluster: Cluster, database: str) -> None:
    async with a_server(cluster, database) as (server, client):
        await works(client)
        hasty = RetryPolicy(attempts=1, attempt_timeout=timedelta(milliseconds=200))
        async with IncidentClient(server.grpc, retries=hasty, deadline=timedelta(milliseconds=200)) as impatient:
            cluster.pause()
            try:
                code, _, took = await failed(impatient.list_incidents)
                assert (code, took < 1.5) == ("DEADLINE_EXCEEDED", True)
            finally:
                cluster.resume()
        await works(client)


async def test_with_all_connections_taken_callers_are_told_to_come_back(cluster: Cluster, database: str) -> None:
    async with a_server(cluster, database) as (_, client):
        taken = await client.submit_event(pb.Event(source="proof", title="it fails"))
        holder = await asyncpg.connect(cluster.dsn(database))
        async with holder.transaction():
            await holder.execute("LOCK TABLE incident, incident_key, producer IN ACCESS EXCLUSIVE MODE")
            calls = every_kind(client, taken.incident_id, taken.event_id)
            outcomes = await asyncio.gather(*(failed(calls[n]) for n in (4, 5, 6, 8, 9)), *(
                failed(lambda: client.get_incident(taken.incident_id)) for _ in range(20)
            ))  # fmt: skip
            assert {code for code, _, _ in outcomes} <= IN_TIME
            assert all(hint for code, hint, _ in outcomes if code == "UNAVAILABLE")
            assert max(took for _, _, took in outcomes) < LONGEST.total_seconds()
        await holder.close()
        await works(client)
        assert (await client.get_incident(taken.incident_id)).id == taken.incident_id


@pytest.mark.parametrize("connections", [1, 3])
async def test_the_server_opens_no_more_connections_than_it_is_told(
    cluster: Cluster, database: str, connections: int
) -> None:
    env = {**ENV, "DATABASE_URL": cluster.dsn(database), "DATABASE_POOL_SIZE": str(connections)}
    async with running_server(env=env) as server, IncidentClient(server.grpc) as client:
        await asyncio.gather(*(client.list_incidents() for _ in range(20)))
        where = f"datname = '{database}' AND backend_type = 'client backend'"
        listening = 1  # hears what other processes do, beside the pool
        assert int(cluster.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {where}")) <= connections + listening

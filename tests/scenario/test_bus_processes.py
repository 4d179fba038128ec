"""Three processes on one PostgreSQL: one takes events in, one tells people, one is watched; with and without Redis."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import orjson
import pytest

from llm_incident_client import IncidentClient, pb
from tests.support.command import command
from tests.support.postgres import Cluster
from tests.support.receiver import Receiver, a_receiver
from tests.support.redis import RedisServer, redis_environment
from tests.support.server import RunningServer, running_server

UNSAFE = {"LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true", "LLM_IM__STORAGE__POOL_SIZE": "5"}
WORK = "classify,route,notify,act"
EACH = 15


@dataclass
class Place:
    """Where events go in, where somebody watches, and who is told."""

    door: RunningServer
    watched: RunningServer
    receiver: Receiver
    redis: RedisServer | None

    async def submit(self, name: str) -> list[str]:
        """Opens incidents one after the other; their ids."""
        opened = []
        async with IncidentClient(self.door.grpc) as client:
            for number in range(EACH):
                event = pb.Event(source="ann", kind="drift.quality", title=name, dedup_key=f"{name}-{number}")
                event.severity = "critical"
                opened.append((await client.submit_event(event)).incident_id)
        return opened

    async def told(self, incidents: list[str]) -> None:
        """Each of them once, in any order."""
        found = [(await self.receiver.take()).body["incident"]["id"] for _ in incidents]
        assert sorted(found) == sorted(incidents)


@contextmanager
def bus_environment(kind: str) -> Iterator[tuple[dict[str, str], RedisServer | None]]:
    """Variables of all processes."""
    if kind == "database":
        yield {}, None
        return
    server = RedisServer()
    try:
        yield {**redis_environment(server.url), "LLM_IM__BUS__BACKEND": "redis"}, server
    finally:
        server.remove()


@asynccontextmanager
async def placed(cluster: Cluster, kind: str) -> AsyncIterator[Place]:
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(a_receiver())
        env, redis = stack.enter_context(bus_environment(kind))
        env |= {"DATABASE_URL": cluster.dsn(cluster.create()), **UNSAFE}
        channels = orjson.dumps([{"type": "webhook", "webhook_url": receiver.url}]).decode()
        env |= {"LLM_IM__NOTIFICATIONS__CHANNELS": channels, "LLM_IM__OUTBOUND__ALLOW": "127.0.0.0/8"}
        door, watched, _ = [
            await stack.enter_async_context(
                running_server(env={**env, "LLM_IM__ROLES": roles, "LLM_IM__INSTANCE_ID": name})
            )
            for name, roles in (("door", "api"), ("watched", "api"), ("worker", WORK))
        ]
        yield Place(door, watched, receiver, redis)


@pytest.mark.parametrize("kind", ["database", "redis"])
async def test_what_one_process_takes_in_another_tells_and_a_third_shows(cluster: Cluster, kind: str) -> None:
    async with placed(cluster, kind) as place:
        incidents: list[str] = []
        seen: list[str] = []

        async def watch(client: IncidentClient) -> None:
            async for change in client.watch():
                if change.kind == pb.ChangeKind.CHANGE_KIND_OPENED:
                    seen.append(change.incident.id)
                if len(seen) == EACH:
                    return

        async with IncidentClient(place.watched.grpc) as client, asyncio.timeout(60):
            watching = asyncio.create_task(watch(client))
            await asyncio.sleep(0.5)  # a watch tells nobody that it has begun
            incidents = await place.submit("first")
            await watching
            await place.told(incidents)
        assert seen == incidents

        status = (await command("bus", "status", "--json", server=place.watched)).json_lines[0]
        assert status["backend"] == kind
        assert all(topic["dead"] == 0 for topic in status["topics"])


async def test_redis_dies_between_the_processes_and_nothing_is_told_twice_or_never(cluster: Cluster) -> None:
    async with placed(cluster, "redis") as place, asyncio.timeout(120):
        assert place.redis is not None
        await place.told(await place.submit("with"))
        place.redis.kill()
        await place.told(await place.submit("without"))
        place.redis.start()
        await place.told(await place.submit("again"))
        place.redis.flush()
        await place.told(await place.submit("emptied"))
    assert place.receiver.received.empty()

"""A server whose Redis is absent, killed, frozen, emptied or promoted takes every event, and tells what it lacks."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.support.command import command
from tests.support.postgres import Cluster
from tests.support.redis import RedisCluster, RedisServer, Sentinels, redis_environment
from tests.support.server import RunningServer, free_port, running_server
from tests.support.waiting import until

UNSAFE = {"LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}
TOLD_WITHIN = 5.0
"""Seconds within which an absence shows in readiness and metrics."""


async def redis_word(server: RunningServer) -> str:
    async with aiohttp.request("GET", f"{server.http}/health/ready") as reply:
        assert reply.status == 200, "Redis must never make a server unready"
        return str((await reply.json())["checks"]["redis"])


async def is_up(server: RunningServer) -> bool:
    async with aiohttp.request("GET", f"{server.http}/metrics") as reply:
        page = await reply.text()
    return 'incident_manager_dependency_up{dependency="redis"} 1.0' in page


async def becomes(server: RunningServer, word: str, *, up: bool, seconds: float = TOLD_WITHIN) -> None:
    async with asyncio.timeout(seconds):
        while not (await redis_word(server)).startswith(word) or await is_up(server) is not up:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@dataclass
class Load:
    """Events under way all the time, every other one a repeat of one before, and what became of them.

    They come over REST, as from programs that know no request ids: a repeat is told by its idempotency key alone.
    """

    url: str
    session: aiohttp.ClientSession
    errors: list[str] = field(default_factory=list)
    first: dict[str, str] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)
    doubled: int = 0

    async def run(self, worker: int) -> None:
        number = 0
        while True:
            await self._submit(f"{worker}-{number}")
            await self._submit(f"{worker}-{number // 2}")
            number += 1

    async def _submit(self, key: str) -> None:
        start = time.perf_counter()
        try:
            event = {"source": "load", "title": "it breaks", "idempotency_key": key}
            async with self.session.post(f"{self.url}/api/v1/events", json=event) as reply:
                told = await reply.json()
                if reply.status != 202:
                    self.errors.append(f"{reply.status} {told}")
                    return
        except aiohttp.ClientError as error:
            self.errors.append(repr(error))
            return
        self.took.append(time.perf_counter() - start)
        self.doubled += self.first.setdefault(key, told["event_id"]) != told["event_id"]


@asynccontextmanager
async def load(server: RunningServer) -> AsyncIterator[Load]:
    async with aiohttp.ClientSession() as session:
        made = Load(server.http, session)
        workers = [asyncio.create_task(made.run(number)) for number in range(8)]
        try:
            yield made
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)


async def some_more(under: Load, events: int = 200) -> None:
    wanted = len(under.took) + events
    await until(lambda: len(under.took) >= wanted or bool(under.errors), 20)


def keys_in(*servers: RedisServer) -> int:
    """Keys that processes have told each other of: repeats are frequent here."""
    return sum(count for server in servers if isinstance(count := server.command("DBSIZE"), int))


def database_of(cluster: Cluster) -> dict[str, str]:
    return {"DATABASE_URL": cluster.dsn(cluster.create()), **UNSAFE}


async def test_a_server_starts_without_its_redis_and_finds_it_later(cluster: Cluster) -> None:
    port = free_port()
    env = {**database_of(cluster), **redis_environment(f"redis://:hunter2@127.0.0.1:{port}")}
    async with running_server(env=env) as server:
        await becomes(server, "degraded: Redis is not used: nobody listens", up=False)
        assert server.log.count('"redis.gone"') == 1
        redis = RedisServer("--requirepass", "hunter2", port=port)
        try:
            await becomes(server, "ok", up=True)
        finally:
            redis.remove()
        await becomes(server, "degraded", up=False)
        assert "hunter2" not in server.log


async def test_a_url_that_means_nothing_stops_the_start(tmp_path: Path) -> None:
    finished = await command("serve", env={"REDIS_URL": "redis://hunter2@cache"}, cwd=tmp_path)
    assert finished.code != 0
    assert "redis.url = (hidden) (from REDIS_URL): a password stands behind a colon" in finished.err
    assert "hunter2" not in finished.err


@pytest.mark.parametrize("fault", ["killed", "frozen", "emptied"])
async def test_whatever_happens_to_redis_every_event_is_taken_once(
    cluster: Cluster, redis_own: RedisServer, fault: str
) -> None:
    env = {**database_of(cluster), **redis_environment(redis_own.url)}
    async with running_server(env=env) as server, load(server) as under:
        await becomes(server, "ok", up=True)
        await some_more(under)
        assert keys_in(redis_own) > 0
        match fault:
            case "killed":
                redis_own.kill()
            case "frozen":
                redis_own.freeze()
            case _:
                redis_own.flush()
        before = len(under.took)
        await some_more(under, 400)
        if fault != "emptied":
            await becomes(server, "degraded", up=False)
            await some_more(under)
            redis_own.thaw() if fault == "frozen" else redis_own.start()
            await becomes(server, "ok", up=True)
        await some_more(under)
        assert under.errors == []
        assert under.doubled == 0
        assert max(under.took[before:]) < 2.0


async def test_a_sentinel_promotion_under_load_costs_no_event(cluster: Cluster) -> None:
    group = await asyncio.to_thread(Sentinels)
    try:
        env = {**database_of(cluster), **redis_environment(group.url)}
        async with running_server(env=env) as server, load(server) as under:
            await becomes(server, "ok", up=True)
            await some_more(under)
            group.master.kill()
            async with asyncio.timeout(30):
                while not await asyncio.to_thread(group.promoted):  # noqa: ASYNC110 - nobody tells us
                    await asyncio.sleep(0.05)
            await becomes(server, "ok", up=True, seconds=10)
            await some_more(under)
            assert under.errors == []
            assert under.doubled == 0
            connected = group.replica.command("CLIENT", "LIST")
            assert isinstance(connected, bytes)
            assert b"name=llm-incident-manager" in connected
    finally:
        group.remove()


async def test_a_cluster_serves_as_well_and_the_loss_of_a_node_costs_no_event(cluster: Cluster) -> None:
    nodes = await asyncio.to_thread(RedisCluster)
    try:
        env = {**database_of(cluster), **redis_environment(nodes.url)}
        async with running_server(env=env) as server, load(server) as under:
            await becomes(server, "ok", up=True)
            await some_more(under)
            assert keys_in(*nodes.nodes) > 0
            nodes.nodes[0].kill()
            await some_more(under, 400)
            assert under.errors == []
            assert under.doubled == 0
    finally:
        nodes.remove()


async def test_servers_share_the_quota_of_a_tenant(cluster: Cluster, redis_own: RedisServer) -> None:
    env = {
        **database_of(cluster),
        **redis_environment(redis_own.url),
        "LLM_IM__INGEST__TENANT_EVENTS_PER_SEC": "0.05",
    }
    async with running_server(env=env) as one, running_server(env=env) as other, aiohttp.ClientSession() as session:
        for server in (one, other):
            await becomes(server, "ok", up=True)
        statuses = []
        for server in (one, other, one):
            event = {"source": "load", "title": "it breaks"}
            async with session.post(f"{server.http}/api/v1/events", json=event) as reply:
                statuses.append((reply.status, "Retry-After" in reply.headers))
        assert statuses == [(202, False), (429, True), (429, True)]

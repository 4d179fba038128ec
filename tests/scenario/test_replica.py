"""A server with a replica: what it writes is listed at once, and a replica that dies shows without hurting anybody."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from llm_incident_client import IncidentClient, pb
from tests.support.command import command
from tests.support.postgres import Cluster
from tests.support.server import RunningServer, running_server

UNSAFE = {"LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}


@pytest.fixture(scope="module")
def standby(cluster: Cluster) -> Iterator[Cluster]:
    cluster.sql("CREATE ROLE plain LOGIN")
    made = cluster.replica()
    yield made
    made.remove()


def url(server: Cluster, database: str) -> str:
    return f"postgresql://plain:hunter2@127.0.0.1:{server.port}/{database}"


async def fetched(server: RunningServer, path: str) -> tuple[int, str]:
    async with aiohttp.request("GET", server.http + path) as reply:
        return reply.status, await reply.text()


async def readiness(server: RunningServer) -> tuple[int, dict[str, Any]]:
    async with aiohttp.request("GET", f"{server.http}/health/ready") as reply:
        return reply.status, await reply.json()


async def reads(server: RunningServer, outcome: str) -> float:
    page = (await fetched(server, "/metrics"))[1].splitlines()
    prefix = f'incident_manager_replica_reads_total{{outcome="{outcome}"}} '
    return sum(float(line.removeprefix(prefix)) for line in page if line.startswith(prefix))


async def test_lists_come_from_the_replica_with_what_was_just_written(cluster: Cluster, standby: Cluster) -> None:
    database = cluster.create()
    cluster.sql(f"ALTER DATABASE {database} OWNER TO plain")
    env = {"DATABASE_URL": url(cluster, database), "DATABASE_REPLICA_URL": url(standby, database), **UNSAFE}
    async with running_server(env=env) as server, IncidentClient(server.grpc) as client:
        async with asyncio.timeout(30):
            while (await readiness(server))[1]["checks"]["replica"] != "ok":  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.05)
        for number in range(1, 21):
            await client.submit_event(pb.Event(source="proof", title=f"{chr(96 + number)} fails"))
            _, listed = await fetched(server, "/api/v1/incidents?page_size=1")
            assert f'"total_count":{number}' in listed.replace(" ", "")
        assert await reads(server, "served") > 0

        standby.kill()
        try:
            status, told = await readiness(server)
            assert (status, told["checks"]["database"]) == (200, "ok")
            assert told["checks"]["replica"].startswith("reads go to the primary: the replica fails")
            status, listed = await fetched(server, "/api/v1/incidents?page_size=1")
            assert (status, '"total_count":20' in listed.replace(" ", "")) == (200, True)
            assert await reads(server, "away") > 0
        finally:
            standby.start()
        assert "hunter2" not in server.log


async def test_a_replica_is_no_primary(cluster: Cluster, standby: Cluster, tmp_path: Path) -> None:
    for verb in ("serve", "migrate"):
        finished = await command(verb, env={"DATABASE_URL": url(standby, "postgres"), **UNSAFE}, cwd=tmp_path)
        assert finished.code == 1
        assert "the server is a standby and takes no writes: connect to the primary" in finished.err

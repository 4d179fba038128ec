"""`serve --workers`: several processes behind the same two ports, looked after by one that serves nothing."""

import asyncio
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from llm_incident_client import IncidentClient, pb
from tests.support.command import command, start
from tests.support.fleet import UNSAFE, Fleet, a_fleet, page, submit
from tests.support.postgres import Cluster
from tests.support.server import RunningServer, free_port, status_of

WORKERS = 2


@asynccontextmanager
async def two(cluster: Cluster, **env: str) -> AsyncIterator[tuple[Fleet, RunningServer]]:
    """Two workers that serve both."""
    async with a_fleet(cluster) as fleet:
        server = await fleet.start("--workers", str(WORKERS), **env)
        await both_up(server)
        yield fleet, server


async def both_up(server: RunningServer) -> None:
    async with asyncio.timeout(60):
        while (await up(server)) != {"1": 1.0, "2": 1.0}:  # noqa: ASYNC110 - another process's page
            await asyncio.sleep(0.1)


async def up(server: RunningServer) -> dict[str, float]:
    text = (await page(server, "/metrics")).text
    found = re.findall(r'^incident_manager_worker_up\{worker="(\d+)"\} (\S+)$', text, re.MULTILINE)
    return {number: float(value) for number, value in found}


def workers_of(server: RunningServer) -> list[psutil.Process]:
    assert server.process is not None
    return psutil.Process(server.process.pid).children()


async def calls_of(server: RunningServer) -> dict[str, float]:
    """Events accepted by each worker, whoever tells it."""
    text = (await page(server, "/metrics")).text
    found = re.findall(r'^incident_manager_alerts_processed_total\{worker="(\d+)"\} (\S+)$', text, re.MULTILINE)
    return {number: float(value) for number, value in found}


async def test_both_answer_and_whichever_is_asked_tells_of_both(cluster: Cluster) -> None:
    async with two(cluster) as (fleet, server):
        for n in range(24):
            await submit(server, f"problem {'x' * n}")
        counted = [await calls_of(server) for _ in range(6)]
        assert set(counted[0]) == {"1", "2"}
        assert all(value > 0 for value in counted[0].values())
        assert sum(counted[0].values()) == 24
        assert all(each == counted[0] for each in counted)
        text = (await page(server, "/metrics")).text
        assert re.findall(r"^incident_manager_database_bytes (\S+)$", text, re.MULTILINE)
        assert 'incident_manager_processes{role="api"} 2.0' in text
        types = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
        assert len(types) == len(set(types))
        listed = await fleet.command("processes", "--json")
        assert sorted(each["instance"] for each in listed.json) == ["standalone-001-w1", "standalone-001-w2"]
        assert await server.terminate() == 0
        await fleet.check_ledger()


async def test_what_one_worker_began_any_other_goes_on_with(cluster: Cluster) -> None:
    """Each client has connections of its own, which the kernel deals out to the workers."""
    async with two(cluster) as (_, server):
        opened = [await submit(server, f"problem {'x' * n}") for n in range(12)]
        token, listed = "", list[str]()
        while True:
            reply = await page(server, f"/api/v1/incidents?page_size=2&page_token={token}")
            listed += [each["id"] for each in reply.json["incidents"]]
            if not (token := reply.json["pagination"]["next_page_token"]):
                break
        assert sorted(listed) == sorted(opened)
        resume = ""
        for n in range(6):
            async with IncidentClient(server.grpc) as client:
                first = await client.create_incident("app", f"once {'y' * n}", request_id=f"request-{n}")
            async with IncidentClient(server.grpc) as client:
                assert await client.create_incident("app", f"once {'y' * n}", request_id=f"request-{n}") == first
        kinds = list[int]()
        for _ in range(6):
            async with IncidentClient(server.grpc) as client:
                resume = await _next_change(client, resume, kinds)


async def _next_change(client: IncidentClient, resume: str, kinds: list[int]) -> str:
    async with asyncio.timeout(20):
        if not resume:
            changes = client.watch(snapshot=True)
        else:
            changes = client.watch(resume_token=resume)
            await client.create_incident("app", f"seen {len(kinds)} {'z' * len(kinds)}")
        async for change in changes:
            if change.resume_token:
                kinds.append(change.kind)
                assert change.incident.id or change.kind == pb.ChangeKind.CHANGE_KIND_UNSPECIFIED
                return change.resume_token
    raise AssertionError("the watch ended")


async def test_a_killed_worker_comes_back_and_the_other_serves_meanwhile(cluster: Cluster) -> None:
    async with two(cluster) as (fleet, server):
        before = {process.pid for process in workers_of(server)}
        victim = workers_of(server)[0]
        victim.kill()
        async with asyncio.timeout(60):
            sent = 0
            while len(now := {process.pid for process in workers_of(server)}) < WORKERS or now == before:
                try:
                    await submit(server, f"meanwhile {'x' * sent}")
                    sent += 1
                except (aiohttp.ClientError, OSError):  # its connection was the killed one's
                    continue
        assert sent > 0
        await both_up(server)
        assert "worker.died" in server.log
        assert await server.terminate() == 0
        await fleet.check_ledger()


async def test_the_first_signal_drains_all_and_the_second_ends_at_once(cluster: Cluster) -> None:
    async with two(cluster) as (_, server):
        async with IncidentClient(server.grpc) as client, asyncio.timeout(30):
            changes = client.watch(snapshot=True)
            pending = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0)
            assert await server.terminate() == 0
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)
        assert server.log.count('"event":"app.stopped"') == WORKERS
        assert await status_of(server.http_port, "/health/live") == 0


async def test_the_workers_end_when_the_process_that_looks_after_them_is_killed(cluster: Cluster) -> None:
    async with two(cluster) as (_, server):
        workers = workers_of(server)
        await server.kill()
        _, alive = await asyncio.to_thread(psutil.wait_procs, workers, 30)
        assert not alive
        await server.start()
        assert await server.terminate() == 0


async def test_the_one_that_looks_after_them_loads_nothing_that_serves(cluster: Cluster) -> None:
    async with two(cluster) as (_, server):
        assert server.process is not None
        maps = await asyncio.to_thread(Path(f"/proc/{server.process.pid}/maps").read_text)
        assert "cygrpc" not in maps
        assert "uvloop" not in maps
        of_worker = await asyncio.to_thread(Path(f"/proc/{workers_of(server)[0].pid}/maps").read_text)
        assert "cygrpc" in of_worker


@pytest.mark.parametrize("reuse", [False, True], ids=["alone", "willing_to_share"])
@pytest.mark.parametrize("door", ["GRPC_PORT", "API_PORT"])
async def test_a_port_that_somebody_else_has_is_refused(cluster: Cluster, door: str, *, reuse: bool) -> None:
    env = {"DATABASE_URL": cluster.dsn("postgres"), "GRPC_PORT": str(free_port()), "API_PORT": str(free_port())}
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(reuse))
        other.bind(("127.0.0.1", 0))
        other.listen()
        env[door] = str(other.getsockname()[1])
        ended = await command("serve", "--workers", "2", env=env)
    assert ended.code == 1
    assert f"cannot start: cannot listen on 127.0.0.1:{env[door]}" in ended.err


async def test_a_second_server_with_workers_is_refused_and_so_is_one_without(cluster: Cluster) -> None:
    async with two(cluster) as (fleet, server):
        url = cluster.dsn(fleet.database)
        taken = {"DATABASE_URL": url, "GRPC_PORT": str(server.grpc_port), "API_PORT": str(free_port())}
        for arguments in (("serve", "--workers", "2"), ("serve",)):
            ended = await command(*arguments, env={**taken, **UNSAFE})
            assert ended.code == 1
            assert f"cannot listen on {server.grpc}" in ended.err


async def test_what_keeps_the_first_worker_from_starting_is_told_once_and_ends_it(cluster: Cluster) -> None:
    env = {"DATABASE_URL": cluster.dsn("no_such_database"), "GRPC_PORT": "0", "API_PORT": "0"}
    ended = await command("serve", "--workers", "3", env=env)
    assert ended.code == 1
    assert ended.err.count("the database does not exist") == 1


async def test_connections_that_the_database_has_not_got_are_refused(cluster: Cluster) -> None:
    env = {"DATABASE_URL": cluster.dsn("postgres"), "GRPC_PORT": "0", "API_PORT": "0", "DATABASE_POOL_SIZE": "200"}
    ended = await command("serve", "--workers", "2", env={**env, **UNSAFE})
    assert ended.code == 1
    assert re.search(r"PostgreSQL takes \d+ connections, and 2 workers want 100 each", ended.err)


async def test_port_nought_takes_a_free_one_for_all(cluster: Cluster) -> None:
    async with a_fleet(cluster) as fleet:
        url = fleet.cluster.dsn(fleet.database)
        env = {"DATABASE_URL": url, "GRPC_PORT": "0", "API_PORT": "0"}
        process = await start("serve", "--workers", "2", env={**env, **UNSAFE})
        assert process.stderr is not None
        addresses = set[str]()
        async with asyncio.timeout(60):
            started = 0
            while started < WORKERS:
                line = (await process.stderr.readline()).decode()
                if '"event":"app.started"' in line:
                    started += 1
                    addresses |= set(re.findall(r'"grpc":"(\S+?)"', line))
        assert len(addresses) == 1
        assert not addresses.pop().endswith(":0")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            assert await process.wait() in (0, 130)

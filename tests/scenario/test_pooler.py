"""The server behind a pooler in transaction mode: it says what it needs, then works, and its limits hold there, too."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from llm_incident_client import IncidentClient, RetryPolicy, pb
from tests.support.books import books_in
from tests.support.command import command
from tests.support.pooler import Pooler, start_pooler
from tests.support.postgres import Cluster
from tests.support.server import running_server

DAY = Path(__file__).resolve().parents[2] / "examples" / "day_of_llm_events.jsonl"
UNSAFE = {"LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}
POOLED = {**UNSAFE, "LLM_IM__STORAGE__POOLED": "true"}


@pytest.fixture(scope="module")
def pooler(cluster: Cluster) -> Iterator[Pooler]:
    started = start_pooler(cluster.port)
    yield started
    started.stop()


def env(pooler: Pooler, database: str) -> dict[str, str]:
    return {**POOLED, "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{pooler.port}/{database}"}


async def test_without_the_setting_the_start_says_which_one_it_needs(
    pooler: Pooler, cluster: Cluster, tmp_path: Path
) -> None:
    given = {**env(pooler, cluster.create()), "LLM_IM__STORAGE__POOLED": "false"}
    for verb in ("serve", "migrate"):
        finished = await command(verb, env=given, cwd=tmp_path)
        assert finished.code == 1
        assert "storage.pooled: true" in finished.err


async def test_behind_a_pooler_replays_add_up(pooler: Pooler, cluster: Cluster, tmp_path: Path) -> None:
    database = cluster.create()
    migrated = await command("migrate", env=env(pooler, database), cwd=tmp_path)
    assert "applied 0001_pre_first" in migrated.out
    async with running_server(env=env(pooler, database)) as server:
        first = (await command("replay", str(DAY), "--json", server=server)).json_lines[-1]
        async with aiohttp.request("GET", f"{server.http}/api/v1/incidents?page_size=100") as reply:
            listed = await reply.json()
        assert sum(first["dispositions"].values()) == first["sent"] > 0
        assert listed["pagination"]["total_count"] == first["incidents"] > 0
        assert await server.terminate() == 0
    books = books_in(cluster, database)
    assert len(books.event_ids()) == first["sent"]
    assert books.fingerprints_open_twice() == []


async def test_behind_a_pooler_a_lock_is_waited_for_as_long_as_the_setting_says(
    pooler: Pooler, cluster: Cluster
) -> None:
    database = cluster.create()
    hasty = {"LLM_IM__STORAGE__LOCK_TIMEOUT_SECS": "0.2", "LLM_IM__STORAGE__STATEMENT_TIMEOUT_SECS": "1"}
    async with running_server(env={**env(pooler, database), **hasty}) as server:
        once = RetryPolicy(attempts=1)
        async with IncidentClient(server.grpc, retries=once) as client:
            event = pb.Event(source="proof", title="it fails")
            await client.submit_event(event)
            lock = "BEGIN; LOCK TABLE incident_key IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1.5); COMMIT"
            holding = asyncio.create_task(asyncio.to_thread(cluster.sql, lock, database))
            waits = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'BEGIN; LOCK TABLE%'"
            while await asyncio.to_thread(cluster.sql, waits) == "0":  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.01)
            answers = await asyncio.gather(*(client.submit_event(event) for _ in range(3)), return_exceptions=True)
            await holding
            assert all("another transaction" in str(answer) or "does not answer" in str(answer) for answer in answers)
            await client.submit_event(event)

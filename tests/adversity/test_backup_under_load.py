"""A backup taken under load is one consistent moment: restored elsewhere, on either database, it adds up and serves."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import aiohttp
import apsw
import asyncpg
import pytest

from llm_incident_client import EventStream, IncidentClient, pb
from tests.support.command import command
from tests.support.postgres import Cluster
from tests.support.server import running_server
from tests.support.waiting import until

OPEN = "('NEW', 'ACKNOWLEDGED', 'IN_PROGRESS', 'ESCALATED')"
UNSAFE = {"LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}
"""The tests' PostgreSQL does not wait for the disk."""

WAYS = [("sqlite", "sqlite"), ("sqlite", "postgresql"), ("postgresql", "postgresql"), ("postgresql", "sqlite")]


class Load:
    """Events over a stream until told to stop: new problems, repeats, ends of problems."""

    def __init__(self) -> None:
        self.rng = random.Random(7)
        self.stopping = False
        self.acked: set[str] = set()

    def event(self) -> pb.Event:
        over = self.rng.random() < 0.1
        action = pb.Action.ACTION_RESOLVE if over else pb.Action.ACTION_TRIGGER
        problem = f"p{self.rng.randrange(300)}\t\\N\n"  # whatever a producer calls it
        return pb.Event(action=action, source="load", title="" if over else "Ünïcode \\ fails\r", dedup_key=problem)

    async def run(self, stream: EventStream) -> None:
        while not self.stopping:
            results = await (await stream.send_many([self.event() for _ in range(50)]))
            self.acked.update(result.event_id for result in results)


@asynccontextmanager
async def loaded(address: str) -> AsyncIterator[Load]:
    """A load while the block runs."""
    load = Load()
    async with IncidentClient(address) as client, client.event_stream("load") as stream:
        running = asyncio.create_task(load.run(stream))
        yield load
        load.stopping = True
        await running


async def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    """What a database answers, beside its server."""
    if url.startswith("postgresql"):
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()
    file = Path(url.removeprefix("sqlite://")) / "incidents.db"
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as opened:
        return opened.execute(statement).fetchall()


def place(kind: str, folder: Path, cluster: Cluster) -> dict[str, str]:
    """The environment that names a new database."""
    if kind == "postgresql":
        return {"DATABASE_URL": cluster.dsn(cluster.create()), **UNSAFE}
    return {"DATABASE_URL": f"sqlite://{folder}"}


@pytest.mark.slow
@pytest.mark.parametrize(("source", "target"), WAYS)
async def test_a_backup_under_load_restores_to_one_moment(
    source: str, target: str, tmp_path: Path, cluster: Cluster
) -> None:
    here, there = place(source, tmp_path / "here", cluster), place(target, tmp_path / "there", cluster)
    file = str(tmp_path / "backup.zip")
    async with running_server(env=here) as server:
        async with loaded(server.grpc) as load:
            await until(lambda: len(load.acked) >= 2_000, seconds=30)
            before = set(load.acked)
            taken = await command("backup", file, "--json", env=here)
            assert taken.code == 0, taken.err
            during = len(load.acked)
            await until(lambda: len(load.acked) > during)
        await server.terminate()
    assert (await command("backup", "verify", file, "--json")).json == taken.json
    restored = await command("restore", file, "--json", env=there)
    assert restored.code == 0, restored.err
    assert restored.json == taken.json
    await assert_one_moment(there["DATABASE_URL"], before, load.acked, taken.json)
    await assert_serves(there, before, taken.json["rows"]["incident"])


async def assert_one_moment(url: str, before: set[str], acked: set[str], told: dict[str, Any]) -> None:
    """All that was acknowledged before the backup began is there, and nothing that never was."""
    pg = url.startswith("postgresql")
    ids = {row[0] for row in await ask(url, f"SELECT {'id::text' if pg else 'lower(hex(id))'} FROM event")}
    assert {i.replace("-", "") for i in before} <= {i.replace("-", "") for i in ids}, "an acknowledged event is lost"
    assert {i.replace("-", "") for i in ids} <= {i.replace("-", "") for i in acked}
    assert len(ids) == told["rows"]["event"] > 0
    ((twice,),) = await ask(
        url,
        f"SELECT count(*) FROM (SELECT 1 FROM incident WHERE state IN {OPEN} "
        "GROUP BY tenant, fingerprint HAVING count(*) > 1) AS d",
    )
    assert twice == 0
    ((counted,),) = await ask(url, "SELECT sum(event_count) FROM incident")
    ((grouped,),) = await ask(url, "SELECT count(*) FROM event WHERE disposition IN (1, 2, 5)")
    assert counted == grouped, "the incidents count other events than the ledger has"
    ((last,),) = await ask(url, "SELECT max(last_sequence) FROM producer")
    assert last == len(ids), "the producer stands elsewhere than its events"
    assert told["audit_chains"] > 0
    if pg:
        ((kept,),) = await ask(url, "SELECT count(*) FROM event_default")
        assert kept == 0, "events lie outside their days"


async def assert_serves(env: dict[str, str], before: set[str], incidents: int) -> None:
    """A server starts on it, knows and lists what was acknowledged, and takes new events."""
    async with running_server(env=env) as server, IncidentClient(server.grpc) as client:
        async with aiohttp.request("GET", f"{server.http}/api/v1/incidents?page_size=1") as reply:
            assert (await reply.json())["pagination"]["total_count"] == incidents
        known = await client.get_event(next(iter(before)))
        assert known.event_id in before
        fresh = await client.submit_event(pb.Event(source="load", title="after the restore"))
        assert fresh.incident_id
        async with client.event_stream("load") as stream:
            result = await (await stream.send(pb.Event(source="load", title="goes on")))
        assert result.event_id not in before
        assert await server.terminate() == 0

"""Upgrades: the database of a released version keeps every record. Both versions beside each other are fault 55."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import apsw
import pytest

from llm_incident_client import IncidentClient, pb
from tests.support import releases
from tests.support.command import command
from tests.support.postgres import Cluster
from tests.support.releases import Release
from tests.support.server import running_server

pytestmark = pytest.mark.slow

Records = Mapping[str, list[dict[str, Any]]]
"""The rows of each table, by the names of their columns."""


@pytest.fixture(params=releases.versions())
def release(request: pytest.FixtureRequest, tmp_path: Path) -> Release:
    return releases.unpack(request.param, tmp_path / "release")


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    name = cluster.create()
    yield name
    cluster.drop(name)


async def used(address: str) -> None:
    """Some of everything that the first version knew."""
    async with IncidentClient(address) as client:
        for number in range(60):
            title = f"shop {'abcdefg'[number % 7]} fails"
            await client.submit_event(pb.Event(source="app", title=title, idempotency_key=f"k{number}"))
        last = await client.submit_event(pb.Event(source="app", title="the last of them"))
        incident = await client.acknowledge(last.incident_id, actor="ann")
        await client.assign(incident.id, ["ann", "bob"])
        await client.add_note(incident.id, "looks bad", actor="bob")
        await client.resolve(incident.id, notes="restarted", root_cause="memory")
        await client.create_incident("people", "by hand", severity=pb.Severity.SEVERITY_P1, labels={"team": "a"})


def in_sqlite(file: Path) -> Records:
    with closing(apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        found = {}
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            with suppress(apsw.SQLError):  # of a virtual table's own
                cursor = connection.execute(f"SELECT * FROM {table}")
                rows = [dict(zip([name for name, _ in cursor.getdescription()], row, strict=True)) for row in cursor]
                if rows:
                    found[str(table)] = rows
        return found


def in_postgres(cluster: Cluster, name: str) -> Records:
    names = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
    tables = cluster.sql(f"{names} AND relnamespace = 'public'::regnamespace", name).split()
    found = {}
    for table in tables:
        rows = cluster.sql(f"SELECT to_jsonb(t) FROM {table} AS t", name)
        if rows:
            found[table] = [json.loads(row) for row in rows.splitlines()]
    return found


def lost(before: Records, after: Records) -> list[str]:
    """Every record of before that is not there any more with all its values."""
    gone = []
    for table, rows in before.items():
        columns = sorted(rows[0])
        kept = [tuple(row.get(column) for column in columns) for row in after.get(table, [])]
        gone += [f"{table}: {row}" for row in rows if tuple(row[column] for column in columns) not in kept]
    return gone


async def test_the_data_of_a_release_migrates_without_losing_or_changing_a_record_on_sqlite(
    release: Release, tmp_path: Path
) -> None:
    folder = tmp_path / "place"
    folder.mkdir()
    async with running_server(env={"PYTHONPATH": str(release.server)}, folder=folder) as old:
        await used(old.grpc)
        assert await old.terminate() == 0
    await migrates_whole(f"sqlite:///{folder}/data", lambda: in_sqlite(folder / "data" / "incidents.db"))


async def test_the_data_of_a_release_migrates_without_losing_or_changing_a_record_on_postgresql(
    release: Release, cluster: Cluster, database: str
) -> None:
    url = cluster.dsn(database)
    env = {"PYTHONPATH": str(release.server), "DATABASE_URL": url, "LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}
    async with running_server(env=env) as old:
        await used(old.grpc)
        assert await old.terminate() == 0
    await migrates_whole(url, lambda: in_postgres(cluster, database))


async def migrates_whole(url: str, records: Callable[[], Records]) -> None:
    """Both phases run, every record is as it was, and the ledger adds up."""
    before = records()
    assert {"incident", "event", "timeline", "audit", "incident_key", "idempotency"} <= before.keys()
    env = {"DATABASE_URL": url, "LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}
    told = [await command("migrate", "--phase", phase, env=env) for phase in ("pre", "post", "all")]
    assert [done.code for done in told] == [0, 0, 0], [done.err for done in told]
    assert "the schema is up to date" in told[-1].out
    assert lost(before, records()) == []
    checked = await command("ledger", "check", env=env)
    assert checked.code == 0, checked.out

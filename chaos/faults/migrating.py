"""Fault 6: a migration is killed at one statement after the other. What an old version does meanwhile is fault 55."""

import asyncio
import signal
import sys
from contextlib import closing
from pathlib import Path

import apsw

from chaos import stalls
from chaos.acks import ack_log
from chaos.load import first_ack
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_manager.adapters.postgres import schema as postgres_schema
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.adapters.sqlite import schema as sqlite_schema
from tests.support import snapshots
from tests.support.builders import NOW
from tests.support.postgres import Cluster
from tests.support.server import running_server

TITLE = "kill -9 during a migration at each statement"
LIMIT = "the next start finishes, with the same schema as if nothing had happened"

_ON_SQLITE = """
import os, signal, sys
from llm_incident_manager.adapters.sqlite import connection, schema
left = int(sys.argv[2])

def count(_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return True

opened = connection.open_writer(sys.argv[1])
opened.trace_v2(1, count)
schema.apply(opened, 7, schema.pending(opened))
"""
_ON_POSTGRES = """
import asyncio, sys
from llm_incident_manager.adapters.postgres import schema
from llm_incident_manager.adapters.postgres.options import Options
asyncio.run(schema.migrate(Options(sys.argv[1]), 7))
"""


@fault(6, TITLE, limit=LIMIT, part="SQLite")
async def sqlite(run: Run) -> Outcome:
    """Each statement in the long profile, some otherwise. What the first kill has left, a server finishes."""
    expected, step = snapshots.of_sqlite(), run.size(23, 1)
    at, kills, finished = run.chance.randint(1, step), 0, 0
    while await _killed_on_sqlite(file := run.folder / f"{at}" / "incidents.db", at):
        if not kills:
            await _serves(run, file.parent)
        kills, at = kills + 1, at + step
        sqlite_schema.migrate(file, NOW)
        with closing(apsw.Connection(str(file))) as connection:
            finished += sqlite_schema.snapshot(connection) == expected
    return _outcome(kills, finished, at)


async def _killed_on_sqlite(file: Path, at: int) -> bool:
    """Whether there was a statement with this number to be killed at."""
    file.parent.mkdir()
    command = [sys.executable, "-c", _ON_SQLITE, str(file), str(at)]
    child = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await child.communicate()
    if child.returncode not in (0, -signal.SIGKILL):
        raise AssertionError(f"the migration ended with {child.returncode}: {said.decode()[-500:]}")
    return child.returncode != 0


async def _serves(run: Run, data: Path) -> None:
    async with ack_log(run.folder / "acks") as log, running_server(env={"DATABASE_URL": f"sqlite:///{data}"}) as server:
        await first_ack(server.grpc, str(data), log)
        await server.terminate()


@fault(6, TITLE, limit=f"{LIMIT}; what was killed has left no trace", part="PostgreSQL")
async def postgres(run: Run) -> Outcome:
    """Killed while a change of the schema has been made and is not committed: each one in the long profile."""
    cluster, step = await run.databases.cluster(), run.size(29, 1)
    at, kills, finished = stalls.FIRST + run.chance.randrange(step), 0, 0
    while (whole := await _killed_on_postgres(cluster, at)) is not None:
        kills, finished, at = kills + 1, finished + whole, at + step
    return _outcome(kills, finished, at)


async def _killed_on_postgres(cluster: Cluster, at: int) -> bool | None:
    """Whether all was undone and then done by the next; None when there was no such change to be killed at."""
    name = await asyncio.to_thread(cluster.create)
    try:
        command = [sys.executable, "-c", _ON_POSTGRES, cluster.dsn(name)]
        if not await stalls.killed(cluster, name, command, at):
            return None
        options = Options(cluster.dsn(name))
        known = tuple(migration.name for migration in migrations.load("postgres"))
        lacking = await postgres_schema.migrate(options, NOW, dry_run=True)
        done = await postgres_schema.migrate(options, NOW)
        same = await asyncio.to_thread(snapshots.of_postgres, cluster, name)
        return lacking == done == known and same == snapshots.file("postgres").read_text("utf-8")
    finally:
        await asyncio.to_thread(cluster.drop, name)


def _outcome(kills: int, finished: int, at: int) -> Outcome:
    """`at` is the first statement that the migration did not come to."""
    figures = [
        Figure("kills", kills, least=2),
        Figure("finished by the next start", finished, least=kills, most=kills),
        Figure("statements, at most", at - 1),
    ]
    return Outcome(figures)

"""A database that cannot be used ends the start, soon and in words that say what to do, and never with the password."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from tests.support.command import Finished, command
from tests.support.postgres import HURRIED, Cluster
from tests.support.server import free_port, running_server

SOON = 15.0
"""Seconds that a start may take to fail, on a busy machine."""
SECRET = "hunter2"
UNSAFE = {"LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY": "true"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A small server that asks `app` for its password."""
    server = Cluster.in_new_folder({**HURRIED, "max_connections": "12"})
    server.admit("host all app 127.0.0.1/32 scram-sha-256")
    server.admit("host all stranger 127.0.0.1/32 reject")
    server.sql(f"CREATE ROLE app LOGIN PASSWORD '{SECRET}'")
    yield server
    server.remove()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    name = cluster.create()
    cluster.sql(f"ALTER DATABASE {name} OWNER TO app")
    yield name
    cluster.drop(name)


def url(cluster: Cluster, database: str, who: str = f"app:{SECRET}") -> str:
    return f"postgresql://{who}@127.0.0.1:{cluster.port}/{database}"


async def run(verb: str, dsn: str, folder: Path, **env: str) -> Finished:
    """Runs the command to its end, which has to come soon and without telling the password."""
    ports = {"API_PORT": "0", "GRPC_PORT": "0"}
    started = time.monotonic()
    finished = await command(*verb.split(), env={"DATABASE_URL": dsn, **UNSAFE, **ports, **env}, cwd=folder)
    assert time.monotonic() - started < SOON
    assert SECRET not in finished.out + finished.err
    return finished


async def refused(verb: str, dsn: str, folder: Path, **env: str) -> str:
    """What a command that fails says, in one line."""
    finished = await run(verb, dsn, folder, **env)
    assert finished.code != 0, finished.out
    return finished.err.strip().splitlines()[-1]


@asynccontextmanager
async def listener(answer: bytes | None) -> AsyncIterator[int]:
    """The port of something that is no PostgreSQL: it says `answer` to whoever comes, or nothing for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer is not None:
            await reader.read(1)
            writer.write(answer)
            writer.close()
        else:
            await reader.read()
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


WRONG = {
    "password": ("postgresql://app:hunter22@127.0.0.1:{port}/{database}", "correct user and password"),
    "user": ("postgresql://stranger:hunter2@127.0.0.1:{port}/{database}", "pg_hba.conf"),
    "database": ("postgresql://app:hunter2@127.0.0.1:{port}/missing", "the database does not exist"),
    "port": ("postgresql://app:hunter2@127.0.0.1:{free}/{database}", "nobody listens at its host and port"),
    "host": ("postgresql://app:hunter2@host.invalid:{port}/{database}", "correct the host"),
    "option": ("postgresql://app:hunter2@127.0.0.1:{port}/{database}?wok_mem=1", "an option of the database URL"),
    "no TLS there": ("postgresql://app:hunter2@127.0.0.1:{port}/{database}?sslmode=require", "speaks no TLS"),
    "file": (
        "postgresql://app:hunter2@127.0.0.1:{port}/{database}?sslmode=verify-ca&sslrootcert=/missing.pem",
        "correct sslrootcert",
    ),
}


@pytest.mark.parametrize(("dsn", "phrase"), WRONG.values(), ids=WRONG)
async def test_the_part_of_the_url_that_is_wrong_is_named(
    cluster: Cluster, database: str, tmp_path: Path, dsn: str, phrase: str
) -> None:
    dsn = dsn.format(port=cluster.port, database=database, free=free_port())
    told = await refused("serve", dsn, tmp_path)
    assert phrase in told


async def test_a_migration_is_refused_in_the_same_words(cluster: Cluster, database: str, tmp_path: Path) -> None:
    for case in ("password", "port"):
        dsn = WRONG[case][0].format(port=cluster.port, database=database, free=free_port())
        told = [(await refused(verb, dsn, tmp_path)).partition(": ")[2] for verb in ("serve", "migrate")]
        assert told[0] == told[1]


async def test_what_is_no_postgresql_or_never_answers_is_told_apart(tmp_path: Path) -> None:
    async with listener(b"HTTP/1.1 400 Bad Request\r\n\r\n") as web, listener(None) as silent:
        talking = await refused("serve", f"postgresql://app:{SECRET}@127.0.0.1:{web}/d", tmp_path)
        hanging = await refused("serve", f"postgresql://app:{SECRET}@127.0.0.1:{silent}/d", tmp_path)
    assert "correct" in talking
    assert "host and port" in talking
    assert "cannot connect in time" in hanging


async def test_a_server_that_hangs_is_given_up_at_the_start(cluster: Cluster, database: str, tmp_path: Path) -> None:
    cluster.pause()
    try:
        assert "cannot connect in time" in await refused("serve", url(cluster, database), tmp_path)
    finally:
        cluster.resume()


@pytest.mark.parametrize(
    ("dsn", "phrase"),
    [
        (f"mysql://app:{SECRET}@h/d", "give sqlite:"),
        (f"postgresql://app:{SECRET}@h:port/d", "the port must be a number"),
        (f"postgresql://app:pass:{SECRET}/word@h/d", "the port must be a number"),
        (f"postgresql://app:{SECRET}@h/d?sslmode=full", "sslmode must be one of disable,"),
        (f"postgresql://app:{SECRET}@h/d?sslrootcrt=x", "sslrootcert"),
    ],
    ids=["another database", "port", "unescaped password", "sslmode", "misspelt"],
)
async def test_config_check_finds_what_reading_the_url_can_find(tmp_path: Path, dsn: str, phrase: str) -> None:
    for verb in ("config check", "serve", "migrate") if ":port/" in dsn else ("config check",):
        finished = await run(verb, dsn, tmp_path)
        assert (finished.code, phrase in finished.err) == (2, True), finished.err
        assert "(hidden)" in finished.err


async def test_config_check_accepts_a_url_with_everything(tmp_path: Path) -> None:
    dsn = f"postgresql://app:{SECRET}@[::1]:5432,other:5433/d?sslmode=verify-full&sslrootcert=/ca.pem&sslkey=/k"
    assert (await run("config check", dsn, tmp_path, DATABASE_REPLICA_URL=dsn)).code == 0


async def test_an_older_schema_stops_a_start_that_may_not_migrate(
    cluster: Cluster, database: str, tmp_path: Path
) -> None:
    dsn = url(cluster, database)
    manual = {"LLM_IM__STORAGE__MIGRATE_ON_START": "false"}
    told = await refused("serve", dsn, tmp_path, **manual)
    assert "lacks 0001_pre_first" in told
    assert "with the command migrate" in told
    assert (await run("migrate", dsn, tmp_path)).code == 0
    async with running_server(env={"DATABASE_URL": dsn, **UNSAFE, **manual}) as server:
        assert await server.terminate() == 0


async def test_an_older_schema_stops_a_role_without_the_right_to_change_it(
    cluster: Cluster, database: str, tmp_path: Path
) -> None:
    cluster.sql(f"ALTER DATABASE {database} OWNER TO postgres")
    told = await refused("serve", url(cluster, database), tmp_path)
    assert "too few rights" in told
    assert "run the command migrate as a role that does" in told


@pytest.mark.parametrize(("verb", "phase"), [("serve", "post"), ("migrate", "post"), ("migrate", "pre")])
async def test_a_newer_schema_is_left_alone(
    cluster: Cluster, database: str, tmp_path: Path, verb: str, phase: str
) -> None:
    dsn = url(cluster, database)
    await run("migrate", dsn, tmp_path)
    cluster.sql(f"INSERT INTO schema_migration VALUES (9999, '9999_{phase}_later', 'x', 0)", database)
    cluster.sql("UPDATE schema_migration SET version = (SELECT count(*) FROM schema_migration) WHERE version = 9999",
                database)  # fmt: skip
    told = await refused(verb, dsn, tmp_path)
    assert f"has migration 9999_{phase}_later, but this program ends at" in told
    assert "start the newer program" in told


async def fill(dsn: str, held: AsyncExitStack) -> None:
    """Takes every connection that PostgreSQL has for this role."""
    while True:
        try:
            connection = await asyncpg.connect(dsn)
        except asyncpg.TooManyConnectionsError:
            return
        held.push_async_callback(connection.close)


@pytest.mark.parametrize("verb", ["serve", "migrate"])
async def test_a_server_without_a_free_connection_says_so(
    cluster: Cluster, database: str, tmp_path: Path, verb: str
) -> None:
    async with AsyncExitStack() as held:
        await fill(url(cluster, database), held)
        told = await refused(verb, url(cluster, database), tmp_path)
    assert "it has no free connection" in told
    assert "raise its max_connections" in told


async def test_a_server_that_may_lose_what_it_confirmed_needs_leave(
    cluster: Cluster, database: str, tmp_path: Path
) -> None:
    told = await refused("serve", url(cluster, database), tmp_path, LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY="false")
    assert "fsync = off and full_page_writes = off" in told
    cluster.sql(f"ALTER DATABASE {database} SET synchronous_commit = off")
    told = await refused("serve", url(cluster, database), tmp_path, LLM_IM__STORAGE__ALLOW_UNSAFE_DURABILITY="false")
    assert "synchronous_commit = off" in told


async def test_a_database_that_only_reads_says_so(cluster: Cluster, database: str, tmp_path: Path) -> None:
    cluster.sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    assert "default_transaction_read_only = off" in await refused("serve", url(cluster, database), tmp_path)

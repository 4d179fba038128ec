"""Migrations on PostgreSQL: the snapshot is what they give, and a second run does nothing."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator

import pytest

from llm_incident_manager.adapters.postgres import schema, store
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.domain.phases import Phase
from llm_incident_manager.ports.stores import StoreRefused
from tests.support import snapshots
from tests.support.builders import NOW, make_id
from tests.support.postgres import Cluster
from tests.support.sizes import FULL

ALL = tuple(migration.name for migration in migrations.load("postgres"))


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    name = cluster.create()
    yield name
    cluster.drop(name)


@pytest.fixture
def options(cluster: Cluster, database: str) -> Options:
    return Options(cluster.dsn(database), may_lose_commits=True)


async def test_the_snapshot_is_what_the_migrations_give(cluster: Cluster, database: str, options: Options) -> None:
    await schema.migrate(options, NOW)
    copy = cluster.create()
    cluster.sql(snapshots.file("postgres").read_text("utf-8"), copy)
    remedy = "run: python -m tests.support.snapshots"
    assert snapshots.of_postgres(cluster, copy) == snapshots.of_postgres(cluster, database), remedy
    cluster.drop(copy)


async def test_a_new_database_gets_all_and_a_second_run_does_nothing(options: Options) -> None:
    assert await schema.migrate(options, NOW, dry_run=True) == ALL
    assert await schema.migrate(options, NOW) == ALL
    assert await schema.migrate(options, NOW) == ()


async def test_a_database_of_a_newer_program_is_refused(cluster: Cluster, database: str, options: Options) -> None:
    await schema.migrate(options, NOW)
    cluster.sql("INSERT INTO schema_migration VALUES (99, '0099_post_later', 'x', 0)", database)
    for phase in Phase:
        with pytest.raises(StoreRefused, match=r"0099_post_later.*start the newer program"):
            await schema.migrate(options, NOW, phase=phase)
    with pytest.raises(StoreRefused, match="start the newer program"):
        await store.open_store(options, make_id(), NOW)


@pytest.mark.parametrize("migrate", [True, False])
async def test_a_database_to_which_a_newer_program_has_only_added_can_be_used(
    cluster: Cluster, database: str, options: Options, *, migrate: bool
) -> None:
    await schema.migrate(options, NOW)
    cluster.sql("INSERT INTO schema_migration VALUES (99, '0099_pre_later', 'x', 0)", database)
    await (await store.open_store(options, make_id(), NOW, migrate=migrate)).close()


STALLS = """
CREATE SEQUENCE public.done;
CREATE FUNCTION public.stall() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('public.done') = {at} THEN PERFORM pg_sleep(60); END IF;
END $$;
CREATE EVENT TRIGGER stall ON ddl_command_end EXECUTE FUNCTION public.stall();
"""
STALLED = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = '{name}'"
KILLED = """
import asyncio, sys
from llm_incident_manager.adapters.postgres import schema
from llm_incident_manager.adapters.postgres.options import Options
asyncio.run(schema.migrate(Options(sys.argv[1], may_lose_commits=True), 7))
"""


@pytest.mark.slow
async def test_a_migration_that_is_killed_at_any_statement_leaves_no_trace_and_the_next_does_all(
    cluster: Cluster,
) -> None:
    """Fault 6, kill -9 while the n-th change of the schema has been made: every one in full, some otherwise."""
    expected, killed = snapshots.file("postgres").read_text("utf-8"), 0
    code: int | None = -1
    for at in range(2, 300, 1 if FULL else 19):
        name = cluster.create()
        cluster.sql(STALLS.format(at=at), name)
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, cluster.dsn(name), stderr=asyncio.subprocess.DEVNULL
        )
        if not (pid := await stalled(cluster, name, child)):
            cluster.drop(name)
            code = child.returncode
            break
        child.kill()
        await child.wait()
        cluster.sql(f"SELECT pg_terminate_backend({pid}, 10000)")  # it would see only after its sleep
        killed += 1
        cluster.sql("DROP EVENT TRIGGER stall; DROP FUNCTION public.stall(); DROP SEQUENCE public.done", name)
        options = Options(cluster.dsn(name), may_lose_commits=True)
        assert await schema.migrate(options, NOW, dry_run=True) == ALL, "all or nothing"
        assert await schema.migrate(options, NOW) == ALL
        assert snapshots.of_postgres(cluster, name) == expected
        cluster.drop(name)
    assert killed >= 2
    assert code == 0, "at last there was nothing left to be killed at"


async def stalled(cluster: Cluster, name: str, child: asyncio.subprocess.Process) -> str:
    """The process of the server that sleeps where it was told to; empty when the migration came to its end."""
    async with asyncio.timeout(60):
        while child.returncode is None:
            if pid := cluster.sql(STALLED.format(name=name)).strip():
                return pid
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), 0.05)
    return ""

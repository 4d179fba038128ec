"""Migrations on PostgreSQL while servers start: one process runs them, all or nothing, and only what is new."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from llm_incident_manager.adapters.postgres import opening, schema
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.pool import Pool
from llm_incident_manager.adapters.postgres.store import open_store
from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.ports.stores import StoreRefused
from tests.support.builders import NOW, make_id
from tests.support.postgres import Cluster

FILES = (
    ("0001_pre_first.sql", "CREATE TABLE one (n INTEGER);"),
    ("0002_pre_next.sql", "ALTER TABLE one ADD m INTEGER;"),
)


@pytest.fixture
def options(cluster: Cluster) -> Iterator[Options]:
    name = cluster.create()
    yield Options(cluster.dsn(name), may_lose_commits=True)
    cluster.drop(name)


@pytest.fixture
async def pool(options: Options) -> AsyncIterator[Pool]:
    opened = await opening.connect(options)
    yield opened
    await opened.close()


async def test_servers_that_start_together_migrate_once(options: Options) -> None:
    stores = await asyncio.gather(*(open_store(options, make_id(), NOW) for _ in range(4)))
    await asyncio.gather(*(store.close() for store in stores))
    assert await schema.migrate(options, NOW) == ()


async def test_a_store_that_may_not_migrate_refuses_an_empty_database(options: Options) -> None:
    with pytest.raises(StoreRefused, match="0001_pre_first"):
        await open_store(options, make_id(), NOW, migrate=False)


async def test_only_what_is_new_runs(pool: Pool) -> None:
    known = migrations.parse(FILES)
    async with pool.connection() as connection:
        await schema.apply(connection, known[:1], NOW)
        assert list(await schema.apply(connection, known, NOW)) == [known[1]]


async def test_a_migration_that_fails_leaves_nothing(pool: Pool) -> None:
    broken = migrations.parse([FILES[0], ("0002_pre_next.sql", "ALTER TABLE missing ADD m INTEGER;")])
    async with pool.connection() as connection:
        with pytest.raises(asyncpg.UndefinedTableError):
            await schema.apply(connection, broken, NOW)
        assert await schema.applied(connection) == []
        assert await connection.fetchval("SELECT to_regclass('one') IS NULL")

"""Migrations on PostgreSQL: the snapshot is what they give, and a second run does nothing."""

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

"""The settings of the storage section reach PostgreSQL, with and without a pooler between."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from llm_incident_manager.adapters import databases
from llm_incident_manager.adapters.postgres.store import PostgresStore
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.ports.stores import StoreRefused
from tests.support.builders import NOW, TENANT, make_id
from tests.support.postgres import Cluster
from tests.support.steps import opened


@asynccontextmanager
async def a_store(dsn: str, **storage: object) -> AsyncIterator[PostgresStore]:
    """A store as the server opens it with these settings."""
    given = {"type": "postgresql", "connection_string": dsn, "allow_unsafe_durability": True, **storage}
    store = await databases.open_store(Settings.model_validate({"storage": given}), NOW, make_id())
    assert isinstance(store, PostgresStore)
    yield store
    await store.close()


@pytest.mark.parametrize("pooled", [False, True])
async def test_statements_and_locks_have_the_limits_of_the_settings(
    cluster: Cluster, database: str, pooled: bool
) -> None:
    limits = {"statement_timeout_secs": 3.5, "lock_timeout_secs": 1.25}
    async with a_store(cluster.dsn(database), pooled=pooled, **limits) as store, store.transaction() as tx:
        names = "('statement_timeout', 'lock_timeout')"
        found = await tx.fetch(f"SELECT name, setting FROM pg_settings WHERE name IN {names}")
        assert dict(map(tuple, found)) == {"statement_timeout": "3500", "lock_timeout": "1250"}


async def test_a_lock_is_waited_for_as_long_as_the_setting_says(cluster: Cluster, database: str) -> None:
    async with a_store(cluster.dsn(database), lock_timeout_secs=0.3) as store:
        incident = await opened(store)
        async with store.transaction() as holder:
            await holder.incident(TENANT, incident.id)
            started = time.monotonic()
            with pytest.raises(Exception, match="another transaction"):
                async with store.transaction() as tx:
                    await tx.incident(TENANT, incident.id)
            assert 0.25 < time.monotonic() - started < 3


@pytest.mark.exclusive
async def test_a_connection_is_waited_for_as_long_as_the_setting_says(cluster: Cluster, database: str) -> None:
    async with a_store(cluster.dsn(database), pool_size=1, acquire_timeout_secs=0.3) as store, store.transaction():
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"all connections \(1\) are busy") as error:
            await store.check()
        assert 0.25 < time.monotonic() - started < 1.5
        assert error.value.retry_after


async def test_without_migration_at_the_start_an_empty_database_is_refused(
    cluster: Cluster, database: str, tmp_path: Path
) -> None:
    with pytest.raises(StoreRefused, match="lacks 0001_pre_first"):
        async with a_store(cluster.dsn(database), migrate_on_start=False):
            pass
    settings = Settings.model_validate({"storage": {"path": tmp_path / "data", "migrate_on_start": False}})
    with pytest.raises(StoreRefused, match="lacks 0001_pre_first"):
        await databases.open_store(settings, NOW, make_id())

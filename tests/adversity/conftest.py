"""A PostgreSQL server that these tests may stall and crash, and stores in databases of their own."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest

from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.store import PostgresStore, open_store
from tests.support.builders import NOW, make_id
from tests.support.postgres import Cluster

HASTY = timedelta(milliseconds=600)
"""What these tests wait for a connection, and for an answer, instead of seconds."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    server = Cluster.in_new_folder()
    yield server
    server.remove()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    name = cluster.create()
    yield name
    cluster.drop(name)


@pytest.fixture
def options(cluster: Cluster, database: str) -> Options:
    return Options(
        cluster.dsn(database),
        pool_size=4,
        acquire_within=HASTY,
        statement_timeout=HASTY,
        lock_timeout=HASTY,
        grace=HASTY / 2,
        may_lose_commits=True,
    )


@pytest.fixture
async def store(options: Options) -> AsyncIterator[PostgresStore]:
    opened = await open_store(options, make_id(), NOW)
    yield opened
    await opened.close()

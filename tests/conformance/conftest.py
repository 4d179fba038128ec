"""Each test of this folder runs on every back end but those that declare, with a reason, that they lack its needs."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from llm_incident_manager.ports.stores import Store
from tests.support.backends import BACKENDS, LACKS, Backend, Memory, Postgres, SqliteFile, make_template
from tests.support.pooler import Pooler, start_pooler
from tests.support.postgres import Cluster
from tests.support.told import BACKEND

OF_STATEMENTS = ("test_lifecycle_product", "test_filters_agree")
"""Tests of many values for few statements: a pooler between can change nothing there, and each takes a database."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*what): what a back end must not lack: see tests/support/backends.py")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backend" in metafunc.fixturenames:
        needed = {what for mark in metafunc.definition.iter_markers("needs") for what in mark.args}
        able = [name for name in BACKENDS if needed.isdisjoint(LACKS[name])]
        if metafunc.module.__name__.rpartition(".")[2] in OF_STATEMENTS:
            able.remove("pooled")
        metafunc.parametrize("backend", able, indirect=True)


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """A database with the schema, for copying."""
    return asyncio.run(make_template(cluster))


@pytest.fixture(scope="session")
def pooler(cluster: Cluster) -> Iterator[Pooler]:
    """A pooler in transaction mode before the server."""
    started = start_pooler(cluster.port)
    yield started
    started.stop()


@pytest.fixture
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """A database of this test's own."""
    request.node.user_properties.append((BACKEND, request.param))
    made: Backend
    match request.param:
        case "sqlite":
            made = SqliteFile(tmp_path)
        case "memory":
            made = Memory()
        case "pooled":
            made = Postgres(*map(request.getfixturevalue, ("cluster", "template", "pooler")))
        case _:
            made = Postgres(*map(request.getfixturevalue, ("cluster", "template")))
    yield made
    made.remove()


@pytest.fixture
async def store(backend: Backend) -> AsyncIterator[Store]:
    """An open store on it."""
    opened = await backend.open()
    yield opened
    await opened.close()

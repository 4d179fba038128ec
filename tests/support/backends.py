"""The databases that every store test runs on, each opened as the server opens it. What one cannot do, it declares."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import apsw
import asyncpg

from llm_incident_manager.adapters.executor import ThreadExecutor
from llm_incident_manager.adapters.postgres import options as postgres_options
from llm_incident_manager.adapters.postgres import store as postgres
from llm_incident_manager.adapters.sqlite import store as sqlite
from llm_incident_manager.ports.stores import Store
from tests.support.builders import NOW, make_id
from tests.support.copies import Copies
from tests.support.pooler import Pooler
from tests.support.postgres import Cluster

_COPIES: WeakKeyDictionary[Cluster, Copies] = WeakKeyDictionary()
BACKENDS = ("sqlite", "memory", "postgresql", "pooled")

LACKS: Mapping[str, Mapping[str, str]] = {
    "sqlite": {
        "many_writers": "units of work take turns: a second one does not begin before the first has ended",
        "many_processes": "one process has the data directory, and the leases of the one before it end at the start",
    },
    "memory": {
        "durable": "everything ends with the process",
        "many_connections": "there is only one connection, so that reads, too, wait for the unit of work to end",
        "many_writers": "units of work take turns: a second one does not begin before the first has ended",
        "many_processes": "nobody else can see it",
    },
    "postgresql": {
        "one_process": "leases belong to whoever took them until they run out, whatever process starts meanwhile",
    },
    "pooled": {
        "one_process": "leases belong to whoever took them until they run out, whatever process starts meanwhile",
        "alone": "a pooler keeps its connections, so that nobody can tell whether a server still uses the database",
    },
}
"""What a back end lacks, and why that is so. A test asks for something with the mark `needs`."""


class Backend(Protocol):
    """A database of its own for one test."""

    async def open(self) -> Store:
        """A store on it; a later one sees what an earlier one has written."""
        ...

    async def query(self, store: Store, statement: str) -> list[tuple[Any, ...]]:
        """What a statement answers that stands outside the port."""
        ...

    def remove(self) -> None:
        """Ends it."""
        ...


class SqliteFile:
    """A file in the test's folder."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "data" / "incidents.db"

    async def open(self) -> Store:
        return await sqlite.open_store(sqlite.Options(self.database, ThreadExecutor), make_id(), NOW)

    async def query(self, store: Store, statement: str) -> list[tuple[Any, ...]]:
        connection = apsw.Connection(str(self.database), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def remove(self) -> None:
        """The test's folder goes by itself."""


class Memory:
    """A database that nobody else can reach."""

    async def open(self) -> Store:
        return await sqlite.open_store(sqlite.Options(None, ThreadExecutor), make_id(), NOW)

    async def query(self, store: Store, statement: str) -> list[tuple[Any, ...]]:
        assert isinstance(store, sqlite.SqliteStore)
        return await store._writer.read(lambda connection: connection.execute(statement).fetchall())

    def remove(self) -> None:
        """It has ended with its store."""


class Postgres:
    """A copy of a database that has the schema; with a pooler the store reaches it only through that."""

    def __init__(self, cluster: Cluster, template: str, pooler: Pooler | None = None) -> None:
        self._cluster = cluster
        self._pooler = pooler
        self._copies = _COPIES.setdefault(cluster, Copies(cluster))
        self._template = template
        self._name = self._copies.lend(template, pooled=pooler is not None)

    @property
    def dsn(self) -> str:
        """Where a connection of a test's own goes, past any pooler."""
        return self._cluster.dsn(self._name)

    async def open(self) -> Store:
        options = _options(self._cluster, self._name)
        if self._pooler is not None:
            dsn = f"postgresql://postgres@127.0.0.1:{self._pooler.port}/{self._name}"
            options = replace(options, dsn=dsn, pooled=True)
        return await postgres.open_store(options, make_id(), NOW)

    async def query(self, store: Store, statement: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self._cluster.dsn(self._name))
        try:
            return [tuple(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    def remove(self) -> None:
        self._copies.take_back(self._name, self._template, pooled=self._pooler is not None)


async def make_template(cluster: Cluster) -> str:
    """The name of a database with the schema, for copying."""
    name = cluster.create()
    await (await postgres.open_store(_options(cluster, name), make_id(), NOW)).close()
    return name


def _options(cluster: Cluster, name: str) -> postgres_options.Options:
    return postgres_options.Options(cluster.dsn(name), may_lose_commits=True)

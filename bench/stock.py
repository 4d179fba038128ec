"""Databases with a year of incidents in them, made once and kept in a folder: a second run finds what the first made.

They are filled by the databases' own bulk ways, with all triggers on, and indexed for search by the server's own code.
"""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import apsw
import asyncpg

from bench import population
from bench.databases import Postgres, Sqlite
from llm_incident_manager.adapters.executor import ThreadExecutor
from llm_incident_manager.adapters.postgres import options as postgres_options
from llm_incident_manager.adapters.postgres import store as postgres
from llm_incident_manager.adapters.sql import migrations, records
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.adapters.sqlite import ids
from llm_incident_manager.adapters.sqlite import store as sqlite
from llm_incident_manager.adapters.sqlite.statements import bulk
from llm_incident_manager.domain.timeline import ChangeKind
from llm_incident_manager.ports.changes import ChangeRow
from llm_incident_manager.ports.stores import Store
from tests.support.postgres import Cluster

KEEP_ALL = {"LLM_IM__RETENTION__INCIDENTS_DAYS": str(10 * population.DAYS)}
"""Otherwise a server would at once begin to delete what is older than retention allows by default."""

_AT_ONCE = 20_000
_RUN = "00000000-0000-7000-8000-000000000000"


class StockedSqlite(Sqlite):
    """A file that was filled before; `fresh` copies it, `kept` is itself."""

    also: Mapping[str, str] = KEEP_ALL

    def __init__(self, keep: Path, count: int) -> None:
        """Fills it unless the folder has it."""
        super().__init__()
        self._stock = keep / f"sqlite-{count}-{_schema('sqlite')}"
        if not (self._stock / "full").exists():
            shutil.rmtree(self._stock, ignore_errors=True)
            asyncio.run(_fill_sqlite(self._stock / sqlite_file(), count))
            (self._stock / "full").touch()

    def fresh(self, folder: Path) -> str:
        """A copy."""
        self._folder = folder / "data"
        self._folder.mkdir()
        shutil.copy(self._stock / sqlite_file(), self._folder)
        os.sync()  # or the copy is still on its way to the disk while the server flushes its own
        return f"sqlite:///{self._folder}"

    def kept(self) -> str:
        """The DATABASE_URL of the stock."""
        self._folder = self._stock
        return f"sqlite:///{self._stock}"


class StockedPostgres(Postgres):
    """A database of a server whose files are kept; `fresh` copies the database, `kept` is itself."""

    also: Mapping[str, str] = KEEP_ALL

    def __init__(self, keep: Path, count: int) -> None:
        """Starts the server, and fills the database unless it has it."""
        self._stock = f"stock_{count}_{_schema('postgres')}"
        place = keep / "postgresql"
        keep.mkdir(parents=True, exist_ok=True)
        keep.chmod(0o755)
        super().__init__(Cluster(place, {}))
        if self._stock not in self._cluster.sql("SELECT datname FROM pg_database").split():
            made = self._cluster.create()
            asyncio.run(_fill_postgres(self._cluster.dsn(made), count))
            self._cluster.sql(f"ALTER DATABASE {made} RENAME TO {self._stock}")

    def fresh(self, folder: Path) -> str:
        """A copy; the one before is dropped."""
        del folder
        self._forget()
        self._database = self._cluster.create(self._stock)
        self._cluster.sql("CHECKPOINT")
        return self._cluster.dsn(self._database)

    def kept(self) -> str:
        """The DATABASE_URL of the stock."""
        return self._cluster.dsn(self._stock)

    def close(self) -> None:
        """Stops the server; its files stay."""
        self._forget()
        self._cluster.stop()

    def _forget(self) -> None:
        if self._database:
            self._cluster.drop(self._database)
        self._database = ""


def stocked(store: str, keep: Path, count: int) -> "StockedSqlite | StockedPostgres":
    """A database of the kind named, with so many incidents in it."""
    return StockedPostgres(keep, count) if store == "postgresql" else StockedSqlite(keep, count)


def sqlite_file() -> str:
    """The name of the file in its folder."""
    from llm_incident_manager.adapters import databases

    return databases.FILE


def _schema(dialect: str) -> str:
    known = "".join(migration.checksum for migration in migrations.load(dialect))
    return hashlib.sha256(known.encode()).hexdigest()[:8]


async def _fill_sqlite(file: Path, count: int) -> None:
    options = sqlite.Options(file, ThreadExecutor)
    await (await sqlite.open_store(options, _RUN, population.UNTIL)).close()
    connection = connections.open_writer(str(file))
    for rows in _parts(population.records_rows(count, ids.same)):
        with connection:
            bulk("insert_incidents").run(connection, rows)
            bulk("insert_changes").run(connection, [_change(row) for row in rows])
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.close()
    await _index(await sqlite.open_store(options, _RUN, population.UNTIL))
    connection = connections.open_writer(str(file))
    connection.execute("ANALYZE")
    connection.close()


async def _fill_postgres(dsn: str, count: int) -> None:
    options = postgres_options.Options(dsn)
    await (await postgres.open_store(options, _RUN, population.UNTIL)).close()
    connection = await asyncpg.connect(dsn)
    for rows in _parts(population.records_rows(count, str)):
        await connection.copy_records_to_table("incident", records=rows, columns=records.INCIDENT_COLUMNS)
        changes = [_change(row) for row in rows]
        await connection.copy_records_to_table("incident_change", records=changes, columns=ChangeRow._fields)
    await _index(await postgres.open_store(options, _RUN, population.UNTIL))
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _change(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the feed says of an incident's row."""
    named = dict(zip(records.INCIDENT_COLUMNS, row, strict=True))
    return named["tenant"], named["id"], ChangeKind.OPENED.value, named["created_at"]


async def _index(store: Store) -> None:
    while await store.index_incidents(_AT_ONCE):
        pass
    while await store.index_words(_AT_ONCE):
        pass
    await store.close()


def _parts(rows: Iterator[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    while part := list(islice(rows, _AT_ONCE)):
        yield part

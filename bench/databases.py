"""The databases that servers are measured on: a fresh one each time, its size, its backlog, and how durable it is.

PostgreSQL is started here with its own defaults, which keep every acknowledged commit.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import apsw
import psutil

from llm_incident_manager.adapters.sqlite import connection as sqlite

if TYPE_CHECKING:
    from tests.support.postgres import Cluster

STORES = ("sqlite", "postgresql")
BUSES = ("database", "redis")
_BACKLOG = "SELECT count(*) FROM outbox WHERE NOT dead"
_SQLITE_SETTINGS = ("journal_mode", "synchronous", "wal_autocheckpoint", "page_size")
_POSTGRES_SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
)


class Database(Protocol):
    """A kind of database. `also` is what a server on it is told beside where it is."""

    name: str
    also: Mapping[str, str]

    def fresh(self, folder: Path) -> str:
        """Makes a new database; returns the DATABASE_URL of a server."""
        ...

    def size(self) -> int:
        """Bytes it takes now, with everything in its place when no server runs on it."""
        ...

    def backlog(self) -> int:
        """How many rows wait for work after the commit."""
        ...

    def numbers(self, statement: str) -> list[tuple[int, ...]]:
        """What a statement answers, whose columns are all numbers."""
        ...

    def cpu_seconds(self) -> float:
        """What its own processes have used."""
        ...

    def settings(self, folder: Path) -> dict[str, Any]:
        """What decides about durability and speed."""
        ...

    def close(self) -> None:
        """Ends what was started."""
        ...


class Sqlite:
    """A file in the server's folder."""

    name = "sqlite"
    also: Mapping[str, str] = {}

    def __init__(self) -> None:
        """Use `fresh` first."""
        self._folder = Path()

    def fresh(self, folder: Path) -> str:
        """An empty directory."""
        self._folder = folder / "data"
        return f"sqlite:///{self._folder}"

    def size(self) -> int:
        """The file and its log; a server that has ended has moved the log into the file."""
        return sum(path.stat().st_size for path in self._folder.glob("incidents.db*") if path.suffix != ".db-shm")

    def backlog(self) -> int:
        """Asked beside the server."""
        return self.numbers(_BACKLOG)[0][0]

    def numbers(self, statement: str) -> list[tuple[int, ...]]:
        """Asked beside the server."""
        reader = sqlite.open_reader(str(self._folder / "incidents.db"))
        try:
            return list(reader.execute(statement))
        finally:
            reader.close()

    def cpu_seconds(self) -> float:
        """It works inside the server."""
        return 0.0

    def settings(self, folder: Path) -> dict[str, Any]:
        """Those of a connection that the server's own code opens."""
        writer = sqlite.open_writer(str(folder / "settings.db"))
        try:
            found = {name: writer.pragma(name) for name in _SQLITE_SETTINGS}
        finally:
            writer.close()
        return {"sqlite": apsw.sqlite_lib_version(), **found}

    def close(self) -> None:
        """Nothing runs."""


class Postgres:
    """A database of a server that is started for the benchmarks."""

    name = "postgresql"
    also: Mapping[str, str] = {}

    def __init__(self, cluster: "Cluster | None" = None) -> None:
        """Starts the server, unless one is given."""
        from tests.support.postgres import Cluster  # the suite knows how to find and run it

        self._cluster = cluster or Cluster.in_new_folder({})
        self._database = ""
        postmaster = self._cluster.sql("SELECT pg_read_file('postmaster.pid')").split()[0]
        self._process = psutil.Process(int(postmaster))

    def fresh(self, folder: Path) -> str:
        """An empty database; the one before is dropped."""
        del folder
        if self._database:
            self._cluster.drop(self._database)
        self._database = self._cluster.create()
        return self._cluster.dsn(self._database)

    def size(self) -> int:
        """After a checkpoint."""
        self._cluster.sql("CHECKPOINT")
        return int(self._cluster.sql("SELECT pg_database_size(current_database())", self._database))

    def backlog(self) -> int:
        """Asked beside the server."""
        return self.numbers(_BACKLOG)[0][0]

    def numbers(self, statement: str) -> list[tuple[int, ...]]:
        """Asked beside the server."""
        lines = self._cluster.sql(statement, self._database).splitlines()
        return [tuple(int(value) for value in line.split("|")) for line in lines]

    def cpu_seconds(self) -> float:
        """Of all its processes that live."""
        used = 0.0
        for process in (self._process, *self._process.children()):
            with contextlib.suppress(psutil.NoSuchProcess):  # a session may end while we look
                times = process.cpu_times()
                used += times.user + times.system
        return float(used)

    def settings(self, folder: Path) -> dict[str, Any]:
        """As the server says."""
        del folder
        return {name: self._cluster.sql(f"SHOW {name}") for name in _POSTGRES_SETTINGS}

    def close(self) -> None:
        """Stops the server and deletes its files."""
        self._cluster.remove()


def opened(store: str) -> Database:
    """The kind named "sqlite" or "postgresql"."""
    return Postgres() if store == "postgresql" else Sqlite()

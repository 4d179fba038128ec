"""How this program opens SQLite files: full durability, one writer, who may use the folder. Runs no other statement."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from llm_incident_manager.adapters.sqlite.statements import CACHED
from llm_incident_manager.ports.stores import StoreRefused

MEMORY: Final = ":memory:"
LOCK_FILE: Final = "server.lock"
OLDEST: Final = (3, 51, 3)
"""Before this version a crash while the log starts over can damage the file (sqlite.org/wal.html#walresetbug)."""

BUSY_MILLISECONDS: Final = 5_000
"""How long a statement waits for another process that has the file, for instance one that looks into it."""

_LOG_BYTES = 64 * 1024 * 1024
_UNUSABLE = (
    apsw.BusyError,
    apsw.CantOpenError,
    apsw.IOError,
    apsw.NotADBError,
    apsw.PermissionsError,
    apsw.ReadOnlyError,
)

# FULL flushes at every commit: what is acknowledged survives a power cut. Only the writer moves the log into the file.
# FAST overwrites what is deleted, or moved, in pages that are written anyway; `overwriting` does so in all.
_WRITER = f"""
PRAGMA journal_size_limit = {_LOG_BYTES};
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -65536;
PRAGMA secure_delete = FAST;
"""
_READER = """
PRAGMA query_only = ON;
PRAGMA trusted_schema = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -16384;
"""
# What the index of words consists of. Each connection that searches has this view of its own; the file has none.
_VOCABULARY = "CREATE VIRTUAL TABLE temp.incident_vocabulary USING fts5vocab('main', 'incident_words', 'row')"


def open_writer(database: str) -> apsw.Connection:
    """The one connection that writes; makes the file when it is missing.

    Raises StoreRefused for a SQLite that is too old, and when the file cannot be opened or is no database.
    """
    version = apsw.sqlite_lib_version()
    if tuple(map(int, version.split("."))) < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise StoreRefused(f"SQLite {version} may damage its file in a crash: install {needed} or newer")
    with explained(database):
        connection = apsw.Connection(database, statementcachesize=CACHED)
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        ((mode,),) = connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_WRITER).fetchall()
    if mode != ("memory" if database == MEMORY else "wal"):
        raise StoreRefused(f"{database} lies where SQLite can keep no log beside it: put it on a local disk")
    connection.wal_autocheckpoint(0)
    return connection


def open_reader(database: str) -> apsw.Connection:
    """A connection that only reads. The file exists."""
    connection = apsw.Connection(database, flags=apsw.SQLITE_OPEN_READONLY, statementcachesize=CACHED)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.wal_autocheckpoint(0)
    connection.execute(_READER).fetchall()
    return connection


@contextmanager
def overwriting(connection: apsw.Connection) -> Iterator[None]:
    """Pages that become free are overwritten, too: nothing of what was deleted is to be found in the file."""
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    try:
        yield
    finally:
        connection.execute("PRAGMA secure_delete = FAST").fetchall()


def add_vocabulary(connection: apsw.Connection) -> None:
    """Lets a connection see which words are in the index of words. That is a view: nothing is written to the file."""
    reads_only = connection.pragma("query_only")
    connection.pragma("query_only", False)
    connection.execute(_VOCABULARY)
    connection.pragma("query_only", reads_only)


@contextmanager
def explained(database: str) -> Iterator[None]:
    """Turns SQLite's errors at the start into words."""
    try:
        yield
    except _UNUSABLE as error:
        raise StoreRefused(f"cannot use {database} ({error}): check its rights, or name another file") from error
    except apsw.CorruptError as error:
        raise StoreRefused(f"{database} is damaged ({error}): restore a backup, or name another file") from error


class FolderLock:
    """The right to use a data directory, held while this object is open. Whatever ends the process ends it, too."""

    def __init__(self, folder: Path) -> None:
        """Makes the folder when it is missing. Raises StoreRefused while another process holds it."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreRefused(f"cannot use directory {folder} ({error.strerror}): name another one") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(self._file, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise StoreRefused(
                f"the data directory {folder} is in use by process {owner}: stop it, or give this one another directory"
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def close(self) -> None:
        """Lets others in. The lock file stays: removing it would let two in."""
        os.close(self._file)

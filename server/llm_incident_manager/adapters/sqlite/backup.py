"""Backs up a SQLite database, whether or not a server has it open, into an archive that either database can take.

The file is copied in one go under SQLite's own backup interface, so the server's log waits for seconds at most; what
is slow, and every check, is done with the copy.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import apsw

from llm_incident_manager.adapters.sql import archive
from llm_incident_manager.adapters.sql.archive import Column, Facts, Writer
from llm_incident_manager.adapters.sql.migrations import Applied
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.adapters.sqlite import schema
from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.ports.stores import StoreRefused

_LINES = 1_000
"""Rows that are encoded at once."""

_IDS = frozenset({"id", "duplicate_of", "merged_into"})
_TEXT = "replace(replace(replace(replace({0}, '\\', '\\\\'), char(9), '\\t'), char(10), '\\n'), char(13), '\\r')"
_KINDS = {
    "int": "{0}",
    "float": "format('%!.17g', {0})",
    "text": _TEXT,
    "uuid": "lower(hex({0}))",
    "bytes": "'\\\\x' || lower(hex({0}))",
}


class Layout(NamedTuple):
    """A table as an archive has it; `key` are the columns of its primary key in order."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


def backup(database: Path, writer: Writer, *, created_at: str, program: str) -> None:
    """Writes everything into an archive; needs as much room beside it as the database takes.

    Raises StoreRefused for a database that is missing, damaged or not ours.
    """
    with checked_copy(database, writer.beside) as connection:
        for layout in layouts(connection):
            with writer.table(layout.name, layout.columns) as target:
                for lines in _lines(connection, layout):
                    target.write(lines)
        seen = tuple(Applied(*row) for row in rows(connection, "migrations"))
        ((sequence,),) = rows(connection, "feed_position")
        writer.finish(Facts("sqlite", created_at, program, seen, 0, sequence))


def layouts(connection: apsw.Connection) -> Sequence[Layout]:
    """The tables that belong into an archive."""
    names = [str(name) for (name,) in rows(connection, "tables")]
    return [_layout(connection, name) for name in names if name not in archive.DERIVED]


@contextmanager
def checked_copy(database: Path, place: Path) -> Iterator[apsw.Connection]:
    """A copy at `place` of this moment, known to be whole. Raises StoreRefused as `backup`."""
    if not database.exists():
        raise StoreRefused(f"there is no database {database}: name its directory with DATABASE_URL or storage.path")
    with connections.explained(str(database)), _copied(database, place) as connection:
        _check(connection, database)
        yield connection


@contextmanager
def _copied(database: Path, place: Path) -> Iterator[apsw.Connection]:
    """A copy of this moment, on which nobody waits. It is gone after the block."""
    try:
        with closing(apsw.Connection(str(place))) as copy:
            copy.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").fetchall()
            source = connections.open_reader(str(database))
            with closing(source), copy.backup("main", source, "main") as running:
                running.step(-1)
            yield copy
    finally:
        for ending in ("", "-wal", "-shm"):
            Path(f"{place}{ending}").unlink(missing_ok=True)


def _check(connection: apsw.Connection, database: Path) -> None:
    found = [str(what) for (what,) in rows(connection, "integrity")]
    if found != ["ok"]:
        remedy = "restore an earlier backup; what this file still holds may be lost"
        raise StoreRefused(f"{database} is damaged ({found[0]}): {remedy}")
    schema.pending(connection)  # refuses a database that is newer than this program, or not ours
    if not connection.table_exists("main", "schema_migration"):
        raise StoreRefused(f"{database} is no database of this program: name another directory")


def _layout(connection: apsw.Connection, table: str) -> Layout:
    found = rows(connection, "columns", (table,))
    columns = [Column(name, _kind(name, kind)) for name, kind, _ in found]
    kept = tuple(column for column in columns if (table, column.name) not in archive.DERIVED_COLUMNS)
    key = [name for place, name in sorted((place, name) for name, _, place in found if place)]
    return Layout(table, kept, tuple(key))


def _kind(name: str, declared: str) -> str:
    if declared == "BLOB":
        return "uuid" if name in _IDS or name.endswith("_id") else "bytes"
    return {"INTEGER": "int", "REAL": "float"}.get(declared, "text")


def _lines(connection: apsw.Connection, layout: Layout) -> Iterator[bytes]:
    values = (_field(quoted(name), kind) for name, kind in layout.columns)
    order = ", ".join(map(quoted, layout.key))
    line = " || char(9) || ".join(values)
    query = f"SELECT {line} || char(10) FROM {quoted(layout.name)} ORDER BY {order}"  # noqa: S608  # catalogue names
    cursor = connection.execute(query)
    while some := list(islice(cursor, _LINES)):
        yield "".join(text for (text,) in some).encode()


def _field(name: str, kind: str) -> str:
    return f"CASE WHEN {name} IS NULL THEN '\\N' ELSE {_KINDS[kind].format(name)} END"


def quoted(name: str) -> str:
    """A name of the catalogue as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'

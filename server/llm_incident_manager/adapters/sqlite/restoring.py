"""Makes a SQLite database from an archive: built and checked beside the old one, then put in its place in one step."""

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import apsw

from llm_incident_manager.adapters.sql import archive, migrations, verifying
from llm_incident_manager.adapters.sql.archive import Column, Reader
from llm_incident_manager.adapters.sql.copytext import Parser
from llm_incident_manager.adapters.sqlite import backup, schema
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.stores import StoreRefused


def restore(database: Path, reader: Reader, now: Instant, *, force: bool) -> None:
    """Replaces the database by what the archive holds, and brings its schema up to date.

    Raises StoreRefused while a server has the directory, when a database with records is there and `force` is not
    given, and for an archive that is damaged or newer than this program: then all is as it was before.
    """
    with connections.explained(str(database)), closing(connections.FolderLock(database.parent)):
        if not force:
            _refuse_records(database, reader)
        place = database.with_name(f"{database.name}.restoring")
        try:
            _remove(place)
            _build(place, reader, now)
            _put(place, database)
        finally:
            _remove(place)


def _refuse_records(database: Path, reader: Reader) -> None:
    if not database.exists():
        return
    with closing(connections.open_reader(str(database))) as connection:
        for layout in backup.layouts(connection):
            known = layout.name in reader.manifest.tables and layout.name not in archive.GIVEN
            if known and _has_rows(connection, layout.name):
                raise StoreRefused(
                    f"{database} has records in {layout.name}: name an empty directory, or replace them with --force"
                )


def _has_rows(connection: apsw.Connection, table: str) -> bool:
    query = f"SELECT 1 FROM {backup.quoted(table)} LIMIT 1"  # noqa: S608  # a name of the catalogue
    return bool(connection.execute(query).fetchall())


def _build(place: Path, reader: Reader, now: Instant) -> None:
    known = migrations.load("sqlite")
    with closing(apsw.Connection(str(place))) as connection:
        # Nothing here needs to survive a crash before it is whole.
        connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536").fetchall()
        schema.apply(connection, now, known[: reader.manifest.schema])
        connection.execute("BEGIN")
        there = {layout.name: layout for layout in backup.layouts(connection)}
        for name, table in reader.manifest.tables.items():
            if name not in there:
                raise StoreRefused(
                    f"the backup has a table {name} that this program does not know: use a newer program"
                )
            _fill(connection, there[name], table.columns, reader)
        rows(connection, "block_outbox")
        rows(connection, "announce_all")
        connection.execute("COMMIT")
        schema.apply(connection, now, schema.pending(connection))
        _check(connection)


def _fill(connection: apsw.Connection, layout: backup.Layout, columns: tuple[Column, ...], reader: Reader) -> None:
    known = {column.name for column in layout.columns}
    if known != {column.name for column in columns}:
        odd = ", ".join(sorted(known ^ {column.name for column in columns}))
        raise StoreRefused(f"table {layout.name} of the backup has other columns than this program's ({odd})")
    names = ", ".join(backup.quoted(column.name) for column in columns)
    marks = ", ".join("?" * len(columns))
    if layout.name in archive.GIVEN:
        connection.execute(f"DELETE FROM {backup.quoted(layout.name)}")  # noqa: S608  # a name of the catalogue
    statement = f"INSERT INTO {backup.quoted(layout.name)} ({names}) VALUES ({marks})"  # noqa: S608  # the catalogue's names
    connection.executemany(statement, _rows(layout.name, columns, reader))


def _rows(name: str, columns: tuple[Column, ...], reader: Reader) -> Iterator[list[object]]:
    parser = Parser(columns)
    for number, line in enumerate(reader.lines(name), 1):
        try:
            yield parser.row(line)
        except ValueError as error:
            raise StoreRefused(f"row {number} of {name} in the backup cannot be read: take another one") from error


def _check(connection: apsw.Connection) -> None:
    found = [str(what) for (what,) in rows(connection, "integrity")]
    if found != ["ok"]:
        raise StoreRefused(f"what was restored is damaged ({found[0]}): check the disk")
    for what, question in verifying.BOOKS.items():
        ((wrong,),) = connection.execute(question)
        if wrong:
            raise StoreRefused(f"the backup does not add up ({wrong} {what}): take another one")


def _put(place: Path, database: Path) -> None:
    """From here on it is the database. What the old one had in its log goes with it."""
    with place.open("rb") as whole:
        os.fsync(whole.fileno())
    if database.exists():
        with suppress(StoreRefused, apsw.Error):  # a damaged one is replaced as it is
            connections.open_writer(str(database)).close()  # moves its log into the file
    for ending in ("-wal", "-shm"):
        Path(f"{database}{ending}").unlink(missing_ok=True)
    place.replace(database)
    folder = os.open(database.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove(place: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        Path(f"{place}{ending}").unlink(missing_ok=True)

"""Brings a SQLite file to this program's schema, each migration in a transaction of its own. Judges nothing itself."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import apsw

from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.adapters.sql.migrations import Applied, Migration
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.stores import StoreRefused

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migration (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL,
    applied_at INTEGER NOT NULL
)
"""
_APPLIED = "SELECT version, name, checksum FROM schema_migration"
_EXISTS = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migration'"
_DONE = "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)"
# Tables that a virtual table keeps for itself are made with it; their statements quote the name.
_SCHEMA = """
SELECT sql FROM sqlite_schema
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' AND sql NOT LIKE 'CREATE TABLE ''%'
ORDER BY type = 'trigger', tbl_name, type DESC, name
"""


def migrate(database: Path, now: Instant, *, dry_run: bool = False) -> tuple[str, ...]:
    """The names of the migrations that were run, or with `dry_run` would be; a dry run makes no file.

    Raises StoreRefused when the database is newer than the program or saw other migrations; to run any, also when a
    server is using it.
    """
    needed = _look(database) if dry_run else _run(database, now)
    return tuple(migration.name for migration in needed)


def pending(connection: apsw.Connection) -> tuple[Migration, ...]:
    """The migrations that an open database still needs."""
    known = connection.execute(_EXISTS).fetchall()
    applied = [Applied(*row) for row in connection.execute(_APPLIED)] if known else []
    return migrations.pending(migrations.load("sqlite"), applied)


def require(connection: apsw.Connection) -> None:
    """Raises StoreRefused unless nothing is pending."""
    if todo := pending(connection):
        names = ", ".join(migration.name for migration in todo)
        raise StoreRefused(f"the database lacks {names}: run the migrations first, with the command migrate")


def apply(connection: apsw.Connection, now: Instant, needed: Sequence[Migration]) -> None:
    """Runs migrations on an open database. One that fails leaves no trace, and those behind it do not run."""
    for migration in needed:
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute(_TABLE)
            connection.execute(migration.sql)
            connection.execute(_DONE, (migration.version, migration.name, migration.checksum, now))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def snapshot(connection: apsw.Connection) -> str:
    """The schema as statements, in an order that depends on names only: for comparing and for reading."""
    return "".join(f"{sql};\n\n" for (sql,) in connection.execute(_SCHEMA)).rstrip("\n") + "\n"


def _look(database: Path) -> Sequence[Migration]:
    if not database.exists():
        return migrations.load("sqlite")
    with closing(connections.open_reader(str(database))) as connection:
        return pending(connection)


def _run(database: Path, now: Instant) -> Sequence[Migration]:
    with (
        closing(connections.FolderLock(database.parent)),
        closing(connections.open_writer(str(database))) as connection,
    ):
        needed = pending(connection)
        apply(connection, now, needed)
    return needed

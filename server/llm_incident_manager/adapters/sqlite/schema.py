"""Brings a SQLite file to this program's schema, each migration in a transaction of its own. Judges nothing itself."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import apsw

from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.adapters.sql.migrations import Applied, Migration
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.domain.phases import Phase
from llm_incident_manager.domain.time import Instant

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


def migrate(database: Path, now: Instant, *, phase: Phase = Phase.ALL, dry_run: bool = False) -> tuple[str, ...]:
    """The names of the migrations that were run, or with `dry_run` would be; a dry run makes no file.

    Raises StoreRefused when the database is newer than the program or saw other migrations; to run any, also when a
    server is using it.
    """
    needed = _look(database, phase) if dry_run else _run(database, now, phase)
    return tuple(migration.name for migration in needed)


def pending(connection: apsw.Connection) -> tuple[Migration, ...]:
    """The migrations that an open database still needs. Raises StoreRefused when it is newer, or differs."""
    return migrations.pending(migrations.load("sqlite"), _applied(connection))


def for_start(connection: apsw.Connection) -> tuple[Migration, ...]:
    """The migrations that a server runs at its start: all, since nobody else uses the file, and none where a newer
    program has only added to it. Raises StoreRefused."""
    known, applied = migrations.load("sqlite"), _applied(connection)
    return migrations.to_run(known, applied, Phase.ALL if len(applied) <= len(known) else Phase.PRE)


def require(connection: apsw.Connection) -> None:
    """Raises StoreRefused unless the program can run on the database as it is."""
    migrations.require(migrations.load("sqlite"), _applied(connection))


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


def _applied(connection: apsw.Connection) -> Sequence[Applied]:
    known = connection.execute(_EXISTS).fetchall()
    return [Applied(*row) for row in connection.execute(_APPLIED)] if known else []


def _look(database: Path, phase: Phase) -> Sequence[Migration]:
    known = migrations.load("sqlite")
    if not database.exists():
        return migrations.to_run(known, [], phase)
    with closing(connections.open_reader(str(database))) as connection:
        return migrations.to_run(known, _applied(connection), phase)


def _run(database: Path, now: Instant, phase: Phase) -> Sequence[Migration]:
    with (
        closing(connections.FolderLock(database.parent)),
        closing(connections.open_writer(str(database))) as connection,
    ):
        needed = migrations.to_run(migrations.load("sqlite"), _applied(connection), phase)
        apply(connection, now, needed)
    return needed

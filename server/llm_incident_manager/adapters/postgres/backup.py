"""Backs up a PostgreSQL database while servers use it: every table as COPY gives it, all of one snapshot."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from llm_incident_manager.adapters.postgres import opening, schema, starting
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.pool import Connection
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import archive, migrations
from llm_incident_manager.adapters.sql.archive import Column, Facts, TableWriter, Writer
from llm_incident_manager.adapters.sql.migrations import Applied
from llm_incident_manager.ports.stores import StoreRefused

PATIENCE = 24 * 3600.0
"""Seconds that one table may take."""

_KINDS: Mapping[str, str] = {
    "uuid": "uuid",
    "smallint": "int",
    "integer": "int",
    "bigint": "int",
    "boolean": "bool",
    "double precision": "float",
    "jsonb": "json",
    "bytea": "bytes",
}


class Layout(NamedTuple):
    """A table as an archive has it; `key` are the columns of its primary key in order."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


async def backup(options: Options, writer: Writer, *, created_at: str, program: str) -> None:
    """Writes everything into an archive. Raises StoreRefused, StoreUnavailable as `opening.connect` does."""
    pool = await opening.connect(options)
    try:
        async with (
            starting.explained(),
            pool.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(SQL["unbounded"])
            await _write(connection, writer, created_at, program)
    finally:
        await pool.close()


async def layouts(connection: Connection) -> Sequence[Layout]:
    """The tables that belong into an archive."""
    rows = await connection.fetch(SQL["columns"])
    tables = [
        _layout(table, [tuple(row)[1:] for row in found]) for table, found in groupby(rows, key=lambda row: row[0])
    ]
    return [table for table in tables if table.name not in archive.DERIVED]


def filled(name: str, **places: str) -> str:
    """A statement with names of the catalogue, each in quotation marks, in their places."""
    statement = SQL[name]
    for place, text in places.items():
        statement = statement.replace(f"{{{place}}}", text)
    return statement


def quoted(name: str) -> str:
    """A name of the catalogue as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'


async def _write(connection: Connection, writer: Writer, created_at: str, program: str) -> None:
    # Refuses what this program does not know.
    migrations.pending(migrations.load("postgres"), await schema.applied(connection))
    if await connection.fetchval(SQL["never_migrated"]):
        raise StoreRefused("the database has no tables of this program: correct its name in the database URL")
    for layout in await layouts(connection):
        with writer.table(layout.name, layout.columns) as target:
            await _copy(connection, layout, target)
    seen = tuple(Applied(*row) for row in await connection.fetch(SQL["applied_migrations"]))
    transaction, sequence = next(iter(await connection.fetch(SQL["feed_position"])), (0, 0))
    writer.finish(Facts("postgresql", created_at, program, seen, transaction, sequence))


async def _copy(connection: Connection, layout: Layout, target: TableWriter) -> None:
    async def take(data: bytes) -> None:
        target.write(data)

    columns, key = (", ".join(map(quoted, names)) for names in ([c.name for c in layout.columns], layout.key))
    query = filled("copy_rows", columns=columns, table=quoted(layout.name), key=key)
    await connection.copy_from_query(query, output=take, timeout=PATIENCE)


def _layout(table: str, found: Sequence[tuple[str, str, int]]) -> Layout:
    columns = (Column(name, _KINDS.get(kind, "text")) for name, kind, _ in found)
    kept = tuple(column for column in columns if (table, column.name) not in archive.DERIVED_COLUMNS)
    key = [name for place, name in sorted((place, name) for name, _, place in found if place)]
    return Layout(table, kept, tuple(key))

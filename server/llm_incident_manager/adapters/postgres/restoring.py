"""Makes a PostgreSQL database from an archive, in one transaction: built in a schema beside, then moved over."""

from collections.abc import AsyncIterator
from datetime import datetime

import asyncpg

from llm_incident_manager.adapters.postgres import backup, opening, partitions, schema, starting
from llm_incident_manager.adapters.postgres.backup import PATIENCE, filled, quoted
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.pool import Connection
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import archive, migrations, verifying
from llm_incident_manager.adapters.sql.archive import Reader
from llm_incident_manager.domain.ids import made_at
from llm_incident_manager.domain.time import DAY, Instant, from_datetime
from llm_incident_manager.ports.stores import StoreRefused

_MOST_DAYS = 1_000
"""Events of more days than these have no partitions of their own."""


async def restore(options: Options, reader: Reader, now: Instant, *, force: bool) -> None:
    """Replaces this program's tables by what the archive holds, and brings their schema up to date.

    Raises StoreRefused while others use the database, when it has records and `force` is not given, and for an archive
    that is damaged or newer than this program: then all is as it was before. StoreUnavailable as `opening.connect`.
    """
    pool = await opening.connect(options)
    try:
        async with starting.explained(), pool.connection() as connection:
            try:
                async with connection.transaction():
                    await _restore(connection, reader, now, force=force)
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
                where = str(error.context or "a table").partition(":")[0]
                raise StoreRefused(
                    f"PostgreSQL does not take what the backup holds ({error.sqlstate}, {where}): take another one"
                ) from error
    finally:
        await pool.close()


async def _restore(connection: Connection, reader: Reader, now: Instant, *, force: bool) -> None:
    known = migrations.load("postgres")
    await connection.execute(SQL["unbounded"])
    target = str(await connection.fetchval(SQL["target_schema"]))
    await _refuse_company(connection)
    if not force:
        await _refuse_records(connection, reader)
    await connection.execute(SQL["create_workshop"])
    await connection.execute(SQL["enter_workshop"])
    await schema.apply(connection, known[: reader.manifest.schema], now)
    await _fill_all(connection, reader)
    await schema.apply(connection, known, now)
    await connection.execute(SQL["announce_all"], timeout=PATIENCE)
    await _check(connection)
    await _move(connection, quoted(target))


async def _refuse_company(connection: Connection) -> None:
    others = await connection.fetchval(SQL["others_connected"])
    if others:
        raise StoreRefused(
            f"{others} other connections use this database: stop the servers (and close other sessions), then repeat"
        )


async def _refuse_records(connection: Connection, reader: Reader) -> None:
    for layout in await backup.layouts(connection):
        known = layout.name in reader.manifest.tables and layout.name not in archive.GIVEN
        if known and await connection.fetchval(filled("has_rows", table=quoted(layout.name))):
            raise StoreRefused(
                f"the database has records in {layout.name}: name an empty database, or replace them with --force"
            )


async def _fill_all(connection: Connection, reader: Reader) -> None:
    there = {layout.name: {column.name for column in layout.columns} for layout in await backup.layouts(connection)}
    for name, table in reader.manifest.tables.items():
        columns = [column.name for column in table.columns]
        if there.get(name) != set(columns):
            raise StoreRefused(
                f"table {name} of the backup is not one that this program knows: use the program it is of"
            )
        if name in archive.GIVEN:
            await connection.execute(filled("empty_table", table=quoted(name)))
        await _make_days(connection, name, reader)
        status = await connection.copy_to_table(name, source=_chunks(reader, name), columns=columns, timeout=PATIENCE)
        if int(status.rpartition(" ")[2]) != table.rows:
            raise StoreRefused(f"{status} of {table.rows} rows of {name} were taken: repeat it")
    for table_name, column, sequence in await connection.fetch(SQL["identities"]):
        await connection.execute(
            filled("number_on", sequence=sequence, column=quoted(column), table=quoted(table_name))
        )


async def _chunks(reader: Reader, name: str) -> AsyncIterator[bytes]:
    for data in reader.chunks(name):
        yield data


async def _make_days(connection: Connection, table: str, reader: Reader) -> None:
    """Partitions for the days of the events, which stand in order."""
    key = partitions.KEYS.get(table)
    first = next(reader.lines(table), "") if key else ""
    if key and first:
        names = [column.name for column in reader.manifest.tables[table].columns]
        digits = first.split("\t")[names.index(key)].replace("-", "")
        end = from_datetime(datetime.fromisoformat(reader.manifest.facts.created_at))
        begin = max(made_at(f"{digits[:8]}-{digits[8:]}"), end - _MOST_DAYS * DAY)
        for partition in partitions.of_days(table, Instant(begin), end):
            await partitions.make(connection, table, partition)


async def _check(connection: Connection) -> None:
    for what, question in verifying.BOOKS.items():
        wrong = await connection.fetchval(question, timeout=PATIENCE)
        if wrong:
            raise StoreRefused(f"the backup does not add up ({wrong} {what}): take another one")


async def _move(connection: Connection, target: str) -> None:
    """Puts what was made into the place of what was there. Partitions that were there go with their tables."""
    tables = await connection.fetch(SQL["made_tables"])
    functions = [(str(signature), str(name)) for signature, name in await connection.fetch(SQL["made_functions"])]
    for name, is_partition in tables:
        if not is_partition:
            await connection.execute(filled("drop_table", target=target, table=quoted(name)))
    for signature, _ in functions:
        await connection.execute(filled("drop_function", target=target, function=signature))
    for name, _ in tables:
        await connection.execute(filled("move_table", target=target, table=quoted(name)))
    for signature, _ in functions:
        await connection.execute(filled("move_function", target=target, function=signature))
    await connection.execute(SQL["drop_workshop"])

"""Brings a database to this program's schema: one transaction for all files, one process at a time."""

from collections.abc import Sequence

from llm_incident_manager.adapters.postgres import opening, starting
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.pool import Connection
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.adapters.sql.migrations import Applied, Migration
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.stores import StoreRefused


async def migrate(options: Options, now: Instant, *, dry_run: bool = False) -> tuple[str, ...]:
    """The names of the migrations that were run, or with `dry_run` would be.

    Raises StoreRefused when the database is newer than the program or saw other migrations, and as `opening.connect`.
    """
    pool = await opening.connect(options)
    try:
        async with starting.explained(), pool.connection() as connection:
            known = migrations.load("postgres")
            needed = await (lacking(connection, known) if dry_run else apply(connection, known, now))
    finally:
        await pool.close()
    return tuple(migration.name for migration in needed)


async def lacking(connection: Connection, known: Sequence[Migration]) -> Sequence[Migration]:
    """As `missing`, on a connection without a transaction: behind a pooler two statements need one."""
    async with connection.transaction():
        return await missing(connection, known)


async def missing(connection: Connection, known: Sequence[Migration]) -> Sequence[Migration]:
    """What still has to run. Raises StoreRefused when the database is newer than the program or differs from it."""
    if await connection.fetchval(SQL["never_migrated"]):
        return migrations.pending(known, [])
    rows = await connection.fetch(SQL["applied_migrations"])
    return migrations.pending(known, [Applied(*row) for row in rows])


async def require(connection: Connection, known: Sequence[Migration]) -> None:
    """Raises StoreRefused unless nothing is missing."""
    if todo := await lacking(connection, known):
        names = ", ".join(migration.name for migration in todo)
        raise StoreRefused(f"the database lacks {names}: run the migrations first, with the command migrate")


async def apply(connection: Connection, known: Sequence[Migration], now: Instant) -> Sequence[Migration]:
    """Runs what is missing and returns it. Another process that does the same is waited for.

    All files are one transaction, which also holds the lock, so that this works behind a pooler: either the database
    is as this program wants it, or it is as it was.
    """
    async with connection.transaction():
        if not await missing(connection, known):
            return ()
    async with connection.transaction():
        await connection.execute(SQL["unhurried"])
        await connection.execute(SQL["lock_schema"], timeout=_PATIENCE)
        await connection.execute(SQL["create_migrations"])
        needed = await missing(connection, known)
        for migration in needed:
            await connection.execute(migration.sql, timeout=_PATIENCE)
            await connection.execute(SQL["record_migration"], *migration[:2], migration.checksum, now)
    return needed


_PATIENCE = 3600.0
"""Seconds that a migration, and another process's migration, may take."""

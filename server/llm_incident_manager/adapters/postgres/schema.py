"""Brings a database to this program's schema: one transaction for all files, one process at a time."""

import asyncio
import re
from collections.abc import Sequence

import asyncpg

from llm_incident_manager.adapters.postgres import opening, starting
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.pool import Connection
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import migrations
from llm_incident_manager.adapters.sql.migrations import Applied, Migration
from llm_incident_manager.domain.phases import Phase
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.telemetry import logs


async def migrate(
    options: Options, now: Instant, *, phase: Phase = Phase.ALL, dry_run: bool = False
) -> tuple[str, ...]:
    """The names of the migrations that were run, or with `dry_run` would be.

    Raises StoreRefused when the database is newer than the program or saw other migrations, and as `opening.connect`.
    """
    pool = await opening.connect(options)
    try:
        async with starting.explained(), pool.connection() as connection:
            known = migrations.load("postgres")
            needed = await (_lacking(connection, known, phase) if dry_run else apply(connection, known, now, phase))
    finally:
        await pool.close()
    return tuple(migration.name for migration in needed)


async def applied(connection: Connection) -> Sequence[Applied]:
    """What has run. Behind a pooler its two statements need a transaction."""
    if await connection.fetchval(SQL["never_migrated"]):
        return []
    return [Applied(*row) for row in await connection.fetch(SQL["applied_migrations"])]


async def require(connection: Connection, known: Sequence[Migration]) -> None:
    """Raises StoreRefused unless the program can run on the database as it is."""
    async with connection.transaction():
        migrations.require(known, await applied(connection))


async def apply(
    connection: Connection, known: Sequence[Migration], now: Instant, phase: Phase = Phase.ALL
) -> Sequence[Migration]:
    """Runs what a phase lacks and returns it. Another process that does the same is waited for.

    All files are one transaction, which also holds the lock, so that this works behind a pooler: either the database
    is as this program wants it, or it is as it was.
    """
    async with connection.transaction():
        if not migrations.to_run(known, await applied(connection), phase):
            return ()
    async with asyncio.timeout(_PATIENCE):
        while True:
            try:
                return await _run(connection, known, now, phase)
            except (asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError) as error:
                logs.get("postgres").warning("migrations.in_the_way", error=str(error))
                await asyncio.sleep(_PAUSE)


async def _run(connection: Connection, known: Sequence[Migration], now: Instant, phase: Phase) -> Sequence[Migration]:
    """Everything in one transaction. Raises the driver's errors when servers that are at work stand in the way: then
    nothing has happened, and they must get on before it is tried again."""
    async with connection.transaction():
        await connection.execute(SQL["unhurried"])
        await connection.execute(SQL["lock_schema"], timeout=_PATIENCE)
        await connection.execute(SQL["create_migrations"])
        needed = migrations.to_run(known, await applied(connection), phase)
        await connection.execute(SQL["impatient"])
        await _lock(connection, needed)
        await connection.execute(SQL["unhurried"])
        for migration in needed:
            await connection.execute(migration.sql, timeout=_PATIENCE)
            await connection.execute(SQL["record_migration"], *migration[:2], migration.checksum, now)
    return needed


async def _lock(connection: Connection, needed: Sequence[Migration]) -> None:
    """Takes the tables that the migrations speak of at once, in the order in which ingest does: one after the other, as
    the migrations come to them, they would be taken crosswise with servers at work."""
    spoken = set(_WORD.findall(" ".join(migration.sql for migration in needed)))
    there = {str(row[0]) for row in await connection.fetch(SQL["tables"])}
    wanted = [name for name in (*_IN_ORDER, *sorted(there.difference(_IN_ORDER))) if name in there & spoken]
    if wanted:
        await connection.execute(f"LOCK TABLE {', '.join(wanted)} IN ACCESS EXCLUSIVE MODE")


async def _lacking(connection: Connection, known: Sequence[Migration], phase: Phase) -> Sequence[Migration]:
    async with connection.transaction():
        return migrations.to_run(known, await applied(connection), phase)


_WORD = re.compile(r"[a-z_]+")
_IN_ORDER = ("producer", "idempotency", "request_answer", "incident_key", "incident", "event", "event_body", "timeline")
_PAUSE = 0.2
_PATIENCE = 3600.0
"""Seconds that a migration, and another process's migration, may take."""

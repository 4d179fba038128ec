"""Checks the ledger of a PostgreSQL database while servers use it: every question is asked of one snapshot."""

from collections.abc import AsyncIterator
from uuid import UUID

from llm_incident_manager.adapters.postgres import opening, schema, starting
from llm_incident_manager.adapters.postgres.backup import PATIENCE
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.pool import Connection
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import ledger, migrations
from llm_incident_manager.adapters.sql.ledger import Finding, Kept, Report, Run, Runs
from llm_incident_manager.domain.disposition import Disposition

_AT_ONCE = 500
"""Rows that are fetched, and runs whose events are counted, in one round trip."""


async def check(options: Options, kept: Kept) -> Report:
    """What the checks have found. Raises StoreRefused, StoreUnavailable as `opening.connect` does."""
    pool = await opening.connect(options)
    try:
        async with (
            starting.explained(),
            pool.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(SQL["unbounded"])
            return await _report(connection, kept)
    finally:
        await pool.close()


async def _report(connection: Connection, kept: Kept) -> Report:
    migrations.require(migrations.load("postgres"), await schema.applied(connection))
    asked = ledger.statements(kept, "'{}'::uuid", SQL["held_many"])
    totals = await connection.fetch(asked["by_disposition"], timeout=PATIENCE)
    findings = [await _find(connection, asked, name) for name in ledger.CHECKS if name != "segments"]
    findings.append(await _runs(connection, asked["segments"], kept))
    return Report("postgresql", {Disposition(number).name: count for number, count in totals}, findings)


async def _find(connection: Connection, asked: ledger.Questions, name: str) -> Finding:
    finding = Finding(name, int(await connection.fetchval(asked[f"{name}_total"], timeout=PATIENCE)))
    async for row in connection.cursor(asked[name], prefetch=_AT_ONCE, timeout=PATIENCE):
        finding.add_row(tuple(row))
    return finding


async def _runs(connection: Connection, question: str, kept: Kept) -> Finding:
    judged = Runs(kept)
    async for some in _read(connection, question):
        ends = [[UUID(int=run.first) for run in some], [UUID(int=run.last) for run in some]]
        found = await connection.fetch(SQL["count_between"], [run.tenant for run in some], *ends, timeout=PATIENCE)
        for run, (events,) in zip(some, found, strict=True):
            judged.take(run)
            judged.compare(run, events)
    return judged.finding


async def _read(connection: Connection, question: str) -> AsyncIterator[list[Run]]:
    cursor = await connection.cursor(question, timeout=PATIENCE)
    while rows := await cursor.fetch(_AT_ONCE, timeout=PATIENCE):
        yield [Run(row[0], row[1], row[2], row[3].int, row[4], row[5]) for row in rows]

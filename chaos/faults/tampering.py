"""Fault 49: somebody who can write the database changes the audit trail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import asyncpg

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_manager.adapters.executor import ThreadExecutor
from llm_incident_manager.adapters.postgres import options
from llm_incident_manager.adapters.postgres import store as postgres
from llm_incident_manager.adapters.sqlite import store as sqlite
from llm_incident_manager.ports.stores import Store
from tests.support.builders import NOW, make_id
from tests.support.tampering import PostgresVictim, SqliteVictim, Tally, Tamperer, Victim
from tests.support.trails import Open, Scribe

Lend: TypeAlias = Callable[[], AbstractAsyncContextManager[Victim]]

TITLE = "audit records changed, deleted, inserted, moved, cut off, rewritten, swapped between tenants, rolled back"
LIMIT = "1,000 of 1,000 found, the first bad record named"


@fault(49, TITLE, limit=LIMIT, part="SQLite")
async def on_sqlite(run: Run) -> Outcome:
    """Tampers with a file that no server has open."""
    database = run.folder / "data" / "incidents.db"

    async def open_() -> Store:
        return await sqlite.open_store(sqlite.Options(database, ThreadExecutor), make_id(), NOW)

    @asynccontextmanager
    async def victim() -> AsyncIterator[Victim]:
        opened = SqliteVictim(database)
        try:
            yield opened
        finally:
            opened.close()

    return await _tamper(run, open_, victim)


@fault(49, TITLE, limit=LIMIT, part="PostgreSQL")
async def on_postgres(run: Run) -> Outcome:
    """The same with a database of PostgreSQL's."""
    async with run.postgres() as (cluster, name):
        chosen = options.Options(cluster.dsn(name), may_lose_commits=True)

        async def open_() -> Store:
            return await postgres.open_store(chosen, make_id(), NOW)

        @asynccontextmanager
        async def victim() -> AsyncIterator[Victim]:
            connection = await asyncpg.connect(cluster.dsn(name))
            try:
                yield PostgresVictim(connection)
            finally:
                await connection.close()

        return await _tamper(run, open_, victim)


async def _tamper(run: Run, open_: Open, victim: Lend) -> Outcome:
    wanted, scribe, tally = run.size(100, 1_000), Scribe.on(open_, run.folder / "kept"), Tally()
    await scribe.run(records=30, checkpoints=5)
    await scribe.run(records=20, checkpoints=2)
    async with victim() as before:
        mark = await (await Tamperer.of(before, scribe.signer, scribe.copies.file, run.chance)).mark()
    await scribe.run(records=12, checkpoints=3)
    async with victim() as attacked:
        tamperer = await Tamperer.of(attacked, scribe.signer, scribe.copies.file, run.chance, mark)
        whole = all(report.intact for report in (await tamperer.reports()).values())
        for _ in range(wanted):
            await tamperer.once(tally)
            await asyncio.sleep(0)
        whole = whole and all(report.intact for report in (await tamperer.reports()).values())
    figures = [
        Figure("found", tally.found.total(), least=wanted, most=wanted),
        Figure("named", tally.named.total(), least=wanted, most=wanted),
        Figure("kinds", len(tally.found), least=9),
    ]
    wrong = tally.wrong[:5] if whole else ["the trail that nobody had touched was not intact", *tally.wrong[:5]]
    return Outcome(figures, wrong=wrong)

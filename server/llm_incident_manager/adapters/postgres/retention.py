"""The end of what was kept long enough: whole partitions of events, a bounded number of other rows. Knows no ages."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from llm_incident_manager.adapters.postgres import partitions
from llm_incident_manager.adapters.postgres.pool import Connection, Rows
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import keeping
from llm_incident_manager.adapters.sql.keeping import Chain
from llm_incident_manager.domain.ids import first_of
from llm_incident_manager.domain.retention import NOTHING, Expired, Expiring
from llm_incident_manager.domain.time import Instant

_INCIDENTS_AT_ONCE = 100
"""An incident brings its timeline and deliveries along."""


async def expire(
    connection: Connection, what: Expiring, before: Instant, limit: int, *, above: int, run: str
) -> Expired:
    """One step in one transaction, while the database is larger than `above` bytes. Raises asyncpg's errors.

    Of several processes one deletes at a time, so that two who see a full disk do not both drop a day for it. `run` is
    this run of the server, whose audit chains go on.
    """
    async with connection.transaction():
        await connection.execute(SQL["hasty"])
        if not await connection.fetchval(SQL["only_one"]):
            return NOTHING
        if above and await size(connection) <= above:
            return NOTHING
        if what is Expiring.AUDIT:
            return await _audit(connection, before, limit, run)
        return await _STEPS[what](connection, before, limit)


async def size(connection: Connection) -> int:
    """Bytes of the whole database on disk."""
    return int(await connection.fetchval(SQL["size"]))


async def _bodies(connection: Connection, before: Instant, limit: int) -> Expired:
    return await _of_table(connection, "event_body", before, limit)


async def _events(connection: Connection, before: Instant, limit: int) -> Expired:
    return await _of_table(connection, "event", before, limit)


async def _of_table(connection: Connection, table: str, before: Instant, limit: int) -> Expired:
    dropped = await partitions.drop_oldest(connection, table, first_of(before))
    if dropped is not None:
        return Expired(dropped, more=True)
    return await _deleted(connection, partitions.filled("expire_default", table), first_of(before), limit)


async def _changes(connection: Connection, before: Instant, limit: int) -> Expired:
    return await _deleted(connection, SQL["expire_changes"], before, limit)


async def _incidents(connection: Connection, before: Instant, limit: int) -> Expired:
    rows = await connection.fetch(SQL["finished_incidents"], before, min(limit, _INCIDENTS_AT_ONCE))
    ids = [row[0] for row in rows]
    if not ids:
        return NOTHING
    found = [str(row[0]) for row in await connection.fetch(SQL["tables_of_incidents"])]
    for table in keeping.tables_of_incidents(found):
        await connection.execute(SQL["expire_of_incidents"].replace("{table}", table), ids)
    await connection.execute(SQL["expire_outbox"], ids)
    return await _deleted(connection, SQL["expire_incidents"], ids)


async def _audit(connection: Connection, before: Instant, limit: int, run: str) -> Expired:
    """One step at the oldest chain that may go. Where checkpoints are signed they have to retire it first: whoever
    verifies the trail could not tell its end from an attack."""
    for chain in finished_chains(await connection.fetch(SQL["audit_heads"]), before, run):
        if await connection.fetchval(SQL["may_end_chain"], chain.tenant, chain.writer):
            return await _deleted(connection, SQL["expire_audit"], chain.tenant, chain.writer, limit)
    return NOTHING


def finished_chains(heads: Rows, before: Instant, run: str) -> Sequence[Chain]:
    """Audit chains that are over, oldest first; `run` goes on."""
    chains = (Chain(tenant, writer, at) for tenant, writer, _, at, _ in map(tuple, heads))
    return keeping.finished_chains(chains, before, run)


async def _deleted(connection: Connection, statement: str, *values: object) -> Expired:
    status = await connection.execute(statement, *values)
    gone = int(status.rpartition(" ")[2])
    return Expired(gone, more=gone > 0)


_STEPS: Mapping[Expiring, Callable[[Connection, Instant, int], Awaitable[Expired]]] = {
    Expiring.BODIES: _bodies,
    Expiring.EVENTS: _events,
    Expiring.FINISHED_EVENTS: _events,
    Expiring.CHANGES: _changes,
    Expiring.INCIDENTS: _incidents,
}

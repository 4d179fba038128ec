"""Reads the audit trails of a database, whoever uses it meanwhile: all of one moment. Changes nothing."""

from collections.abc import Callable, Mapping

from llm_incident_manager.adapters.postgres import opening, schema, starting
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.pool import Connection
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import checkpoints, migrations
from llm_incident_manager.domain.audit_chain import AuditRow
from llm_incident_manager.domain.audit_proof import Report, Trail
from llm_incident_manager.domain.ids import TenantId

_AT_ONCE = 1_000
_HIGHEST = 2**63 - 1


async def prove(options: Options, made: Callable[[TenantId], Trail], more: set[TenantId]) -> Mapping[TenantId, Report]:
    """What each tenant's trail shows, those of `more` included. Raises StoreRefused, StoreUnavailable."""
    pool = await opening.connect(options)
    try:
        async with (
            starting.explained(),
            pool.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await schema.require(connection, migrations.load("postgres"))
            await connection.execute(SQL["unbounded"])
            found = {TenantId(row[0]) for row in await connection.fetch(SQL["audit_tenants"])} | more
            return {tenant: await _proven(connection, tenant, made(tenant)) for tenant in sorted(found)}
    finally:
        await pool.close()


async def _proven(connection: Connection, tenant: TenantId, trail: Trail) -> Report:
    known = await connection.fetch(SQL["checkpoints_after"], tenant, 0, _HIGHEST)
    trail.take(checkpoints.of_row(tuple(row)) for row in known)
    cursor = await connection.cursor(SQL["audit_trail"], tenant)
    while some := await cursor.fetch(_AT_ONCE):
        trail.look(AuditRow(*row) for row in some)
    return trail.finish()

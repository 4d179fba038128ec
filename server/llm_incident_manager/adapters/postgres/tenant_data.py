"""Whole tenants in PostgreSQL: taken along page by page, and deleted in small steps."""

from collections.abc import Sequence
from typing import Any

from llm_incident_manager.adapters.postgres import failures
from llm_incident_manager.adapters.postgres.pool import Connection, Pool
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import tenant_data
from llm_incident_manager.adapters.sql.tenant_data import Table
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.tenant_data import Page


class TenantRows:
    """Implements ports.tenant_data.TenantData."""

    _pool: Pool

    async def tables_of_tenants(self) -> Sequence[str]:
        """See TenantData."""
        async with self._pool.connection() as connection:
            with failures.translated():
                return [table.name for table in tenant_data.exported(await _tables(connection))]

    async def rows_of_tenant(self, tenant: TenantId, table: str, behind: tuple[Any, ...], limit: int) -> Page:
        """See TenantData."""
        async with self._pool.connection() as connection:
            with failures.translated():
                of = tenant_data.of_name(await _tables(connection), table)
                marks = ("$1", "$2", *(f"${3 + n}" for n in range(len(behind))))
                statement = tenant_data.page(of, tenant_data.shown(of), marks)
                found = await connection.fetch(statement, tenant, limit, *behind)
        return tenant_data.page_of(of, [tuple(row) for row in found], limit)

    async def erase_rows(self, tenant: TenantId, limit: int) -> int:
        """See TenantData."""
        async with self._pool.connection() as connection:
            with failures.translated():
                for table in tenant_data.erased(await _tables(connection)):
                    status = await connection.execute(tenant_data.erase(table, ("$1", "$2")), tenant, limit)
                    if gone := int(status.rpartition(" ")[2]):
                        return gone
        return 0


async def _tables(connection: Connection) -> Sequence[Table]:
    found = await connection.fetch(SQL["columns"])
    return tenant_data.tables((str(table), str(name), int(place)) for table, name, _, place in found)

"""Whole tenants in SQLite: taken along page by page, and deleted in small steps that leave nothing in the file."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from llm_incident_manager.adapters.sql import tenant_data
from llm_incident_manager.adapters.sql.tenant_data import Table
from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.adapters.sqlite.writer import Writer
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.tenant_data import Page

T = TypeVar("T")


class TenantRows:
    """Implements ports.tenant_data.TenantData."""

    _writer: Writer

    async def _read(self, function: Callable[[apsw.Connection], T]) -> T:
        raise NotImplementedError

    async def tables_of_tenants(self) -> Sequence[str]:
        """See TenantData."""
        return [table.name for table in tenant_data.exported(await self._read(_tables))]

    async def rows_of_tenant(self, tenant: TenantId, table: str, behind: tuple[Any, ...], limit: int) -> Page:
        """See TenantData."""
        return await self._read(partial(_page, tenant=tenant, name=table, behind=behind, limit=limit))

    async def erase_rows(self, tenant: TenantId, limit: int) -> int:
        """See TenantData."""
        return await self._writer.unit(partial(_erase, tenant=tenant, limit=limit))


def _tables(connection: apsw.Connection) -> Sequence[Table]:
    names = [str(name) for (name,) in rows(connection, "tables")]
    found = ((name, column, place) for name in names for column, _, place in rows(connection, "columns", (name,)))
    return tenant_data.tables(found)


def _page(connection: apsw.Connection, tenant: TenantId, name: str, behind: tuple[Any, ...], limit: int) -> Page:
    table = tenant_data.of_name(_tables(connection), name)
    marks = ("?1", "?2", *(f"?{3 + n}" for n in range(len(behind))))
    statement = tenant_data.page(table, tenant_data.shown(table), marks)
    return tenant_data.page_of(table, connection.execute(statement, (tenant, limit, *behind)).fetchall(), limit)


def _erase(connection: apsw.Connection, tenant: TenantId, limit: int) -> int:
    """Pages that become free are overwritten: what was deleted is not to be found in the file either."""
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    try:
        for table in tenant_data.erased(_tables(connection)):
            connection.execute(tenant_data.erase(table, ("?1", "?2")), (tenant, limit)).fetchall()
            if gone := connection.changes():
                return gone
    finally:
        connection.execute("PRAGMA secure_delete = OFF").fetchall()
    return 0

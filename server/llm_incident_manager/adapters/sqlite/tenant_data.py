"""Whole tenants in SQLite: taken along page by page, and deleted in small steps that leave nothing in the file."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import apsw

from llm_incident_manager.adapters.sql import tenant_data
from llm_incident_manager.adapters.sql.tenant_data import Table
from llm_incident_manager.adapters.sqlite.connection import overwriting
from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.adapters.sqlite.writer import Writer
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.tenant_data import Page

T = TypeVar("T")

PAGES_AT_ONCE = 250
"""Pages (4 KiB) of the index of words that are written anew in one step: few enough that nobody waits for it."""


class TenantRows:
    """Implements ports.tenant_data.TenantData."""

    _writer: Writer
    _words: "Words"

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
        gone = await self._writer.unit(partial(_erase, tenant=tenant, words=self._words, limit=limit))
        if not gone and self._words.left_the_index(tenant):
            await self._writer.empty_log()
        return gone


class Words:
    """What is left of deleted words in the index of words: it only marks them, and its pages keep them until they are
    written anew. That is done in small steps once all rows of a tenant are gone, and once for each tenant."""

    def __init__(self) -> None:
        """Whoever has just started does it again: it does not know whether it was done."""
        self._merging = False
        self._clean: set[TenantId] = set()
        self._told: set[TenantId] = set()

    def dirty(self, tenant: TenantId) -> None:
        """Rows of the tenant were deleted."""
        self._merging = False
        self._clean.discard(tenant)
        self._told.discard(tenant)

    def step(self, connection: apsw.Connection, tenant: TenantId) -> int:
        """Writes some pages anew; 0 when there are no more."""
        if tenant in self._clean:
            return 0
        before = connection.total_changes()
        # Negative: all segments begin to become one. From then on that goes on where it stopped.
        rows(connection, "merge_words", (PAGES_AT_ONCE if self._merging else -PAGES_AT_ONCE,))
        self._merging = connection.total_changes() - before > 1
        if not self._merging:
            self._clean.add(tenant)
        return int(self._merging)

    def left_the_index(self, tenant: TenantId) -> bool:
        """Whether they have just gone: True once."""
        new = tenant in self._clean and tenant not in self._told
        self._told.add(tenant)
        return new


def _tables(connection: apsw.Connection) -> Sequence[Table]:
    names = [str(name) for (name,) in rows(connection, "tables")]
    found = ((name, column, place) for name in names for column, _, place in rows(connection, "columns", (name,)))
    return tenant_data.tables(found)


def _page(connection: apsw.Connection, tenant: TenantId, name: str, behind: tuple[Any, ...], limit: int) -> Page:
    table = tenant_data.of_name(_tables(connection), name)
    marks = ("?1", "?2", *(f"?{3 + n}" for n in range(len(behind))))
    statement = tenant_data.page(table, tenant_data.shown(table), marks)
    return tenant_data.page_of(table, connection.execute(statement, (tenant, limit, *behind)).fetchall(), limit)


def _erase(connection: apsw.Connection, tenant: TenantId, words: Words, limit: int) -> int:
    """Nothing of what is deleted is left in the file."""
    with overwriting(connection):
        for table in tenant_data.erased(_tables(connection)):
            connection.execute(tenant_data.erase(table, ("?1", "?2")), (tenant, limit)).fetchall()
            if gone := connection.changes():
                words.dirty(tenant)
                return gone
        return words.step(connection, tenant)

"""Everything a tenant has, table by table: to be taken along, or deleted for ever."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from llm_incident_manager.domain.ids import TenantId


class Page(NamedTuple):
    """Some rows of a table as names and plain values, and the place to go on behind; None when there is no more."""

    rows: Sequence[Mapping[str, str | int | float | bool | None]]
    behind: tuple[Any, ...] | None


class TenantData(Protocol):
    """What a store is asked about a whole tenant. Asks the catalogue, so that no table can be forgotten."""

    async def tables_of_tenants(self) -> Sequence[str]:
        """The tables that tell of tenants, without copies that the database makes by itself."""
        ...

    async def rows_of_tenant(self, tenant: TenantId, table: str, behind: tuple[Any, ...], limit: int) -> Page:
        """A page of a table, in the order of its key, from the start with an empty place; without digests of keys."""
        ...

    async def erase_rows(self, tenant: TenantId, limit: int) -> int:
        """Deletes at most so many rows of a tenant, from one table; returns how many. The audit stays."""
        ...

"""Everything a tenant has, as JSON lines: a row each with its table, and at the end how many rows each table had."""

from collections.abc import AsyncIterator

import orjson

from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.ports.stores import Store

ROWS = 500
"""Rows that are read at once."""


async def chunks(store: Store, tenant_id: str) -> AsyncIterator[bytes]:
    """Whole lines, some rows at a time, each table in the order of its key. What changes meanwhile is told as it is
    when its table is read. Raises NotFound."""
    tenant = await store.tenant(tenant_id)
    if tenant is None:
        raise NotFound("tenant", tenant_id)
    counts: dict[str, int] = {}
    for table in await store.tables_of_tenants():
        behind, counts[table] = (), 0
        while True:
            page = await store.rows_of_tenant(tenant.id, table, behind, ROWS)
            counts[table] += len(page.rows)
            if page.rows:
                yield b"".join(orjson.dumps({"table": table, **row}) + b"\n" for row in page.rows)
            if page.behind is None:
                break
            behind = page.behind
    yield orjson.dumps({"rows": counts}) + b"\n"

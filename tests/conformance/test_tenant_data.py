"""Whole tenants: every table that tells of one is taken along and erased, page by page, and no other tenant's row."""

from typing import Any

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import AS_CONFIGURED, Tenant, TenantState
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.pipeline.eraser import Eraser
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Store
from tests.support.builders import NOW, make_incident, make_opening
from tests.support.world import world_on

GONE, KEPT = TenantId("gone"), TenantId("kept")
AUDIT = {"audit", "audit_checkpoint", "audit_retired"}


async def filled(store: Store) -> None:
    """Both tenants with some incidents and all that opening them writes."""
    for tenant in (GONE, KEPT):
        await store.lease_numbers(tenant, "20261121", 10)
        async with store.transaction() as tx:
            await tx.write(make_opening(*(make_incident(tenant=tenant) for _ in range(7))))


async def everything(store: Store, tenant: TenantId, size: int = 3) -> dict[str, list[Any]]:
    """All rows of a tenant, read in pages."""
    found: dict[str, list[Any]] = {}
    for table in await store.tables_of_tenants():
        found[table], behind = [], ()
        while True:
            page = await store.rows_of_tenant(tenant, table, behind, size)
            found[table] += page.rows
            if page.behind is None:
                break
            behind = page.behind
    return {table: rows for table, rows in found.items() if rows}


async def test_pages_tell_every_row_once(store: Store) -> None:
    await filled(store)
    found = await everything(store, GONE)
    assert {"incident", "event", "event_body", "timeline", "outbox", "incident_key", "audit"} <= found.keys()
    assert len(found["incident"]) == len({row["id"] for row in found["incident"]}) == 7
    assert found == await everything(store, GONE, size=1_000)


async def test_erasing_in_steps_leaves_the_audit_and_others_alone(store: Store) -> None:
    await filled(store)
    audit, others = (await everything(store, GONE))["audit"], await everything(store, KEPT)
    steps = 0
    while gone := await store.erase_rows(GONE, 4):
        assert gone <= 4
        steps += 1
    assert steps > 10
    assert await everything(store, GONE) == {"audit": audit}
    assert await everything(store, KEPT) == others


async def test_the_eraser_finishes_what_was_begun_once_all_is_quiet(store: Store) -> None:
    await filled(store)
    world = world_on(store)
    async with store.transaction() as tx:
        revision = await tx.next_access_revision()
        tenant = Tenant(GONE, "Gone", TenantState.ERASING, AS_CONFIGURED, NOW, NOW, revision)
        await tx.write(Changes(access=[tenant]))
    eraser = Eraser(world.tools, settled=10)
    assert await eraser.once() > 0
    assert await eraser.once() == 0
    found = await store.tenant(GONE)
    assert found is not None
    assert found.state is TenantState.ERASING, "something may still be under way"
    world.clock.forward(10 * SECOND)
    assert await eraser.once() == 0
    found = await store.tenant(GONE)
    assert found is not None
    assert (found.state, found.display_name) == (TenantState.ERASED, GONE)
    assert set(await everything(store, GONE)) <= AUDIT

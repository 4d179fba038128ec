"""Incident numbers, tenants, the audit chain, and the end of what is kept for a day only."""

import asyncio

import pytest

from llm_incident_manager.adapters.sql.audit import AUDIT_COLUMNS
from llm_incident_manager.domain.audit_chain import AuditRow, first_broken
from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.domain.ids import EventId, TenantId
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.ports.changes import AnswerRow, Changes, Claims, IdempotencyRow, ProducerKey, SegmentRow
from llm_incident_manager.ports.stores import Store
from tests.support.backends import Backend
from tests.support.builders import (
    NOW,
    TENANT,
    key_of,
    make_audit,
    make_delivery,
    make_event_row,
    make_id,
    make_incident,
)
from tests.support.steps import Dropped, claimed, dropped, later, opened, release, write

ELSEWHERE = TenantId("other")
DAY = "20261121"


async def test_numbers_begin_with_one_and_count_per_tenant_and_day(store: Store) -> None:
    assert await store.lease_numbers(TENANT, DAY, 1000) == 1
    assert await store.lease_numbers(TENANT, DAY, 10) == 1001
    assert await store.lease_numbers(TENANT, DAY, 10) == 1011
    assert await store.lease_numbers(TENANT, "20261122", 10) == 1
    assert await store.lease_numbers(ELSEWHERE, DAY, 10) == 1


async def test_no_number_is_leased_twice(store: Store) -> None:
    starts = await asyncio.gather(*(store.lease_numbers(TENANT, DAY, 50) for _ in range(20)))
    assert sorted(starts) == [1 + 50 * n for n in range(20)]


@pytest.mark.needs("durable")
async def test_no_number_is_leased_again_after_a_restart(backend: Backend) -> None:
    store = await backend.open()
    assert await store.lease_numbers(TENANT, DAY, 1000) == 1
    await store.close()
    again = await backend.open()
    assert await again.lease_numbers(TENANT, DAY, 1000) == 1001
    await again.close()


async def test_nothing_of_a_tenant_is_seen_by_another(store: Store) -> None:
    incident = await opened(store)
    event = make_event_row(incident)
    await write(store, Changes(events=[event], deliveries=[make_delivery(incident)]))
    for ref in (incident.id, incident.number):
        with pytest.raises(NotFound):
            await store.incident(ELSEWHERE, ref)
    with pytest.raises(NotFound):
        await store.event(ELSEWHERE, event.id)
    assert list(await store.timeline(ELSEWHERE, incident.id, "", 10)) == []
    assert list(await store.deliveries(ELSEWHERE, incident.id)) == []
    async with store.transaction() as tx:
        assert list(await tx.incidents(ELSEWHERE, [incident.id])) == []
        assert await tx.holder(key_of(incident)._replace(tenant=ELSEWHERE)) is None
        with pytest.raises(NotFound):
            await tx.incident(ELSEWHERE, incident.number)


async def test_an_id_is_not_found_in_another_spelling(store: Store) -> None:
    incident = await opened(store)
    for ref in (incident.id.upper(), incident.id.replace("-", ""), incident.number.lower()):
        with pytest.raises(NotFound):
            await store.incident(TENANT, ref)


@pytest.mark.parametrize("ref", ["", "INC-20261121-00001", "INC-1", "no id at all", make_id(1), "\U0001f525" * 100])
async def test_what_names_no_incident_is_not_found(store: Store, ref: str) -> None:
    with pytest.raises(NotFound):
        await store.incident(TENANT, ref)
    with pytest.raises(NotFound):
        await store.event(TENANT, EventId(ref))
    async with store.transaction() as tx:
        with pytest.raises(NotFound):
            await tx.incident(TENANT, ref)


async def test_the_sweep_ends_what_is_old_and_leaves_what_is_not(store: Store) -> None:
    gone, kept = await opened(store), await opened(store)
    producer = ProducerKey(TENANT, "dev", "p")
    for incident, at, name in ((gone, NOW, "old"), (kept, later(100), "new")):
        await write(
            store,
            Changes(
                changed=[incident.moved(State.RESOLVED, at)],
                keys_released=release(incident),
                idempotency=[IdempotencyRow(TENANT, name, EventId(make_id()), None, at)],
                answers=[AnswerRow(TENANT, name, b"d", b"a", at)],
                segments=[SegmentRow(producer, at, 1, EventId(make_id()), at)],
            ),
        )
    assert await store.sweep(later(100), 1000) == 4
    assert await store.sweep(later(100), 1000) == 0

    assert (await claimed(store, key_of(gone), key_of(kept))).previous == {key_of(kept): kept.id}
    async with store.transaction() as tx:
        names = await tx.claim(Claims(idempotency=((TENANT, "old"), (TENANT, "new"))))
        assert [key for _, key in names.idempotency] == ["new"]
        assert await tx.answer(TENANT, "old") is None
        assert await tx.answer(TENANT, "new") is not None
    assert (await store.incident(TENANT, gone.id)).state is State.RESOLVED


async def test_a_sweep_takes_no_more_than_it_is_told(store: Store) -> None:
    names = [IdempotencyRow(TENANT, f"{n}", EventId(make_id()), None, NOW) for n in range(7)]
    answers = [AnswerRow(TENANT, f"{n}", b"d", b"a", NOW) for n in range(7)]
    await write(store, Changes(idempotency=names, answers=answers))
    assert [await store.sweep(later(1), 5) for _ in range(4)] == [5, 5, 4, 0]


async def test_the_audit_is_one_unbroken_chain_for_each_tenant_and_writer(store: Store, backend: Backend) -> None:
    mine, theirs = make_incident(), make_incident(tenant=ELSEWHERE)
    for n in range(3):
        await write(
            store, Changes(audit=[make_audit(mine, details={"n": str(n)}), make_audit(theirs), make_audit(mine)])
        )
    with pytest.raises(Dropped):
        async with dropped(store) as tx:
            await tx.write(Changes(audit=[make_audit(mine, action="never happened")]))
    await write(store, Changes(audit=[make_audit(mine, action="last")]))

    columns = ", ".join(AUDIT_COLUMNS)
    rows = [AuditRow(*row) for row in await backend.query(store, f"SELECT {columns} FROM audit ORDER BY sequence")]
    chains: dict[tuple[str, str], list[AuditRow]] = {}
    for row in rows:
        chains.setdefault((row.tenant, row.writer), []).append(row)
    assert sum(len(chain) for (tenant, _), chain in chains.items() if tenant == TENANT) == 7
    assert sum(len(chain) for (tenant, _), chain in chains.items() if tenant == ELSEWHERE) == 3
    assert [first_broken(chain) for chain in chains.values()] == [None] * len(chains)
    assert "never happened" not in {row.action for row in rows}


@pytest.mark.needs("durable")
async def test_a_restart_begins_new_chains_and_leaves_the_old_ones_whole(backend: Backend) -> None:
    writers: list[tuple[str, int]] = []
    for _ in range(2):
        store = await backend.open()
        await write(store, Changes(audit=[make_audit(make_incident()), make_audit(make_incident())]))
        writers = await backend.query(store, "SELECT writer, max(sequence) FROM audit GROUP BY writer")
        await store.close()
    assert [last for _, last in writers] == [2, 2]

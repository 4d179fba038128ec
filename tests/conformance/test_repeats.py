"""Names that events and requests have: the second one with the same name meets what became of the first."""

import asyncio

import pytest

from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.ports.changes import AnswerRow, Changes, Claims, IdempotencyRow
from llm_incident_manager.ports.stores import KeyTaken, Store
from tests.support.builders import NOW, TENANT, make_id
from tests.support.steps import write

ELSEWHERE = TenantId("other")


def make_name(key: str, tenant: TenantId = TENANT, incident: str | None = None) -> IdempotencyRow:
    return IdempotencyRow(tenant, key, EventId(make_id()), None if incident is None else IncidentId(incident), NOW)


def make_answer(request_id: str, answer: bytes = b"\x00answer\xff") -> AnswerRow:
    return AnswerRow(TENANT, request_id, b"d" * 32, answer, NOW)


async def test_a_claim_finds_the_events_that_have_names(store: Store) -> None:
    first, second = make_name("a", incident=make_id()), make_name("b \U0001f511 ключ")
    theirs = make_name("a", ELSEWHERE)
    await write(store, Changes(idempotency=[first, second, theirs]))
    async with store.transaction() as tx:
        found = await tx.claim(
            Claims(idempotency=((TENANT, "a"), (TENANT, second.key), (TENANT, "c"), (ELSEWHERE, "a")))
        )
    assert found.idempotency == {(TENANT, "a"): first, (TENANT, second.key): second, (ELSEWHERE, "a"): theirs}


async def test_a_name_is_given_once(store: Store) -> None:
    first = make_name("a")
    await write(store, Changes(idempotency=[first]))
    with pytest.raises(KeyTaken):
        await write(store, Changes(idempotency=[make_name("b"), make_name("a")]))
    async with store.transaction() as tx:
        found = await tx.claim(Claims(idempotency=((TENANT, "a"), (TENANT, "b"))))
    assert found.idempotency == {(TENANT, "a"): first}


async def test_the_answer_to_a_request_is_kept_as_it_was(store: Store) -> None:
    row = make_answer("r-1")
    await write(store, Changes(answers=[row]))
    async with store.transaction() as tx:
        assert await tx.answer(TENANT, "r-1") == row
        assert await tx.answer(TENANT, "r-2") is None
        assert await tx.answer(ELSEWHERE, "r-1") is None


async def test_a_request_is_answered_once(store: Store) -> None:
    await write(store, Changes(answers=[make_answer("r-1")]))
    with pytest.raises(KeyTaken):
        await write(store, Changes(answers=[make_answer("r-1", b"another")]))


async def test_of_concurrent_units_with_one_request_id_all_but_one_meet_its_answer(store: Store) -> None:
    met: list[bytes] = []

    async def handle(n: int) -> None:
        async with store.transaction() as tx:
            known = await tx.answer(TENANT, "r-1")
            await asyncio.sleep(0.01)
            if known is None:
                await tx.write(Changes(answers=[make_answer("r-1", f"by {n}".encode())]))
            else:
                met.append(known.answer)

    await asyncio.gather(*(handle(n) for n in range(4)))
    assert len(met) == 3
    assert len(set(met)) == 1

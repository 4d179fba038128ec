"""Streams resume where they were: epochs, sequence numbers, and what became of each event."""

import pytest

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.ids import EventId, TenantId
from llm_incident_manager.ports.changes import Changes, Claims, EventRow, ProducerKey, ProducerRow, SegmentRow
from llm_incident_manager.ports.stores import KeyTaken, Store
from tests.support.backends import Backend
from tests.support.builders import NOW, TENANT, make_event_row, make_id
from tests.support.steps import Dropped, dropped, open_producer, write

KEY = ProducerKey(TENANT, "dev", "gateway-1")
FAR = 0xABC_0000_0000  # ids of runs: far from those that builders count up


def make_run(
    first_sequence: int, count: int, first_id: int, key: ProducerKey = KEY
) -> tuple[SegmentRow, list[EventRow]]:
    """A run of accepted events, whose ids follow each other as the sequence numbers do."""
    rows = [make_event_row(id=EventId(make_id(first_id + n)), tenant=key.tenant) for n in range(count)]
    return SegmentRow(key, first_sequence, count, rows[0].id, NOW), rows


async def add_run(
    store: Store, first_sequence: int, count: int, first_id: int, key: ProducerKey = KEY
) -> list[EventRow]:
    segment, rows = make_run(first_sequence, count, first_id, key)
    await write(store, Changes(events=rows, segments=[segment]))
    return rows


async def stored(store: Store, first: int, count: int, key: ProducerKey = KEY) -> list[EventRow | None]:
    async with store.transaction() as tx:
        return list(await tx.stored_events(key, first, count))


async def test_a_new_producer_begins_with_epoch_one_and_nothing_received(store: Store) -> None:
    assert await open_producer(store) == ProducerRow(KEY, 1, 0)


async def test_each_stream_has_the_next_epoch_and_goes_on_where_the_last_one_was(store: Store) -> None:
    await open_producer(store)
    await write(store, Changes(producers=[ProducerRow(KEY, 1, 250)]))
    assert await open_producer(store) == ProducerRow(KEY, 2, 250)
    assert await open_producer(store, "gateway-2") == ProducerRow(KEY._replace(producer_id="gateway-2"), 1, 0)


async def test_an_epoch_that_was_not_committed_was_never_given(store: Store) -> None:
    with pytest.raises(Dropped):
        async with dropped(store) as tx:
            assert (await tx.open_producer(KEY, NOW)).epoch == 1
    assert (await open_producer(store)).epoch == 1


async def test_a_claim_tells_how_far_known_producers_are(store: Store) -> None:
    await open_producer(store)
    other = await open_producer(store, tenant=TenantId("other"))
    await write(store, Changes(producers=[ProducerRow(KEY, 1, 40)]))
    unknown = KEY._replace(producer_id="unknown")
    async with store.transaction() as tx:
        found = await tx.claim(Claims(producers=(KEY, other.key, unknown)))
    assert found.producers == {KEY: ProducerRow(KEY, 1, 40), other.key: other}


async def test_a_producer_that_was_never_opened_cannot_advance(store: Store) -> None:
    with pytest.raises(KeyTaken):
        await write(store, Changes(producers=[ProducerRow(KEY, 1, 40)]))


async def test_events_are_found_by_their_sequence_numbers(store: Store) -> None:
    rows = await add_run(store, 1, 300, FAR)
    assert await stored(store, 1, 300) == rows
    assert await stored(store, 5, 1) == [rows[4]]
    assert await stored(store, 299, 4) == [*rows[298:], None, None]


async def test_runs_may_follow_each_other_with_ids_from_elsewhere(store: Store) -> None:
    first = await add_run(store, 1, 10, FAR + 5000)
    second = await add_run(store, 11, 5, FAR)
    assert await stored(store, 1, 15) == [*first, *second]
    assert await stored(store, 8, 5) == [*first[7:], *second[:2]]


async def test_numbers_without_an_accepted_event_are_empty(store: Store) -> None:
    first = await add_run(store, 1, 3, FAR)
    second = await add_run(store, 6, 2, FAR + 100)
    assert await stored(store, 2, 7) == [*first[1:], None, None, *second, None]
    assert await stored(store, 4, 2) == [None, None]
    assert await stored(store, 100, 3) == [None, None, None]


async def test_an_event_of_the_run_that_is_gone_leaves_a_hole(store: Store) -> None:
    segment, rows = make_run(1, 4, FAR)
    await write(store, Changes(events=[rows[0], rows[1], rows[3]], segments=[segment]))
    assert await stored(store, 1, 4) == [rows[0], rows[1], None, rows[3]]


async def test_runs_of_other_producers_and_tenants_are_out_of_sight(store: Store) -> None:
    elsewhere = KEY._replace(tenant=TenantId("other"))
    neighbour = KEY._replace(producer_id="gateway-2")
    mine = await add_run(store, 1, 2, FAR)
    theirs = await add_run(store, 1, 3, FAR + 10, elsewhere)
    beside = await add_run(store, 1, 3, FAR + 20, neighbour)
    assert await stored(store, 1, 3) == [*mine, None]
    assert await stored(store, 1, 3, elsewhere) == theirs
    assert await stored(store, 1, 3, neighbour) == beside


async def test_a_resent_event_keeps_its_disposition(store: Store) -> None:
    segment, rows = make_run(1, 2, FAR)
    rows[1] = rows[1]._replace(
        disposition=Disposition.DUPLICATE, duplicate_of=rows[0].id, reason="same_idempotency_key"
    )
    await write(store, Changes(events=rows, segments=[segment]))
    assert await stored(store, 2, 1) == [rows[1]]


@pytest.mark.needs("durable")
async def test_producers_go_on_after_a_restart(backend: Backend) -> None:
    store = await backend.open()
    await open_producer(store)
    segment, rows = make_run(1, 9, FAR)
    await write(store, Changes(events=rows, segments=[segment], producers=[ProducerRow(KEY, 1, 9)]))
    await store.close()

    again = await backend.open()
    assert await open_producer(again) == ProducerRow(KEY, 2, 9)
    assert await stored(again, 1, 9) == rows
    await again.close()

"""Work for after the commit: one row of a lane at a time, in order, leased, tried again, and at last kept apart."""

import pytest

from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import DeliveryState
from llm_incident_manager.ports.changes import NOTIFY, ROUTED, Changes, OutboxRetry, OutboxRow
from llm_incident_manager.ports.stores import Store
from tests.support.backends import Backend
from tests.support.builders import NOW, TENANT, make_delivery, make_incident, make_work
from tests.support.steps import claim, later, opened, write


async def add(store: Store, *lanes: str, incident: Incident | None = None) -> list[OutboxRow]:
    """Work in these lanes, in this order, in one unit; returned as whoever claims it first gets it."""
    rows = [make_work(incident or make_incident(), lane=lane) for lane in lanes]
    await write(store, Changes(outbox=rows))
    return [leased(row) for row in rows]


async def finish(store: Store, *rows: OutboxRow) -> None:
    await write(store, Changes(outbox_done=list(rows)))


def leased(row: OutboxRow, times: int = 1) -> OutboxRow:
    """The row as whoever claims it gets it: with the number of the lease."""
    return row._replace(fence=times)


async def test_of_each_lane_only_the_oldest_row_is_leased(store: Store) -> None:
    a1, b1, _a2, c1, _b2 = await add(store, "a", "b", "a", "c", "b")
    assert list(await claim(store)) == [a1, b1, c1]
    assert list(await claim(store)) == []


async def test_a_lane_goes_on_when_its_oldest_row_is_done(store: Store) -> None:
    a1, a2, b1, a3 = await add(store, "a", "a", "b", "a")
    assert list(await claim(store)) == [a1, b1]
    await finish(store, a1)
    assert list(await claim(store)) == [a2]
    await finish(store, a2, b1)
    assert list(await claim(store)) == [a3]


async def test_rows_of_a_later_unit_wait_for_those_of_an_earlier_one(store: Store) -> None:
    (first,) = await add(store, "a")
    (second,) = await add(store, "a")
    assert list(await claim(store)) == [first]
    await finish(store, first)
    assert list(await claim(store)) == [second]


async def test_work_is_replaced_in_its_lane_within_one_unit(store: Store) -> None:
    (first,) = await add(store, "a")
    await claim(store)
    following = make_work(make_incident(), lane="a")
    await write(store, Changes(outbox_done=[first], outbox=[following]))
    assert list(await claim(store)) == [leased(following)]


async def test_a_claim_takes_no_more_than_it_is_told(store: Store) -> None:
    rows = await add(store, "a", "b", "c")
    assert list(await claim(store, limit=2)) == rows[:2]
    assert list(await claim(store, limit=2)) == rows[2:]


async def test_topics_know_nothing_of_each_other(store: Store) -> None:
    incident = make_incident()
    routed, notified = make_work(incident, topic=ROUTED), make_work(incident, topic=NOTIFY)
    await write(store, Changes(outbox=[routed, notified]))
    assert list(await claim(store)) == [leased(notified)]
    assert list(await store.claim_work(ROUTED, "worker", NOW, later(60), 10)) == [leased(routed)]


async def test_work_that_is_not_due_waits_and_holds_back_its_lane(store: Store) -> None:
    early = make_work(make_incident(), lane="a", due_at=later(30))
    late = make_work(make_incident(), lane="a", due_at=NOW)
    await write(store, Changes(outbox=[early, late]))
    assert list(await claim(store, later(29))) == []
    assert list(await claim(store, later(30))) == [leased(early)]


async def test_a_lease_that_has_run_out_is_given_again(store: Store) -> None:
    (row,) = await add(store, "a")
    await claim(store, until=later(60))
    assert list(await claim(store, later(59))) == []
    assert list(await claim(store, later(60))) == [leased(row, 2)]


async def test_work_that_failed_is_due_again_later_with_its_history(store: Store) -> None:
    first, second = await add(store, "a", "a")
    await claim(store)
    await write(store, Changes(outbox_retries=[OutboxRetry(first.id, 1, 1, later(20), "connection refused")]))
    assert list(await claim(store, later(19))) == []
    (again,) = await claim(store, later(20))
    assert again == first._replace(attempts=1, due_at=later(20), last_error="connection refused", fence=2)
    await finish(store, again)
    assert list(await claim(store, later(20))) == [second]


async def test_dead_work_is_kept_apart_and_lets_its_lane_go_on(store: Store, backend: Backend) -> None:
    first, second = await add(store, "a", "a")
    await claim(store)
    await write(store, Changes(outbox_retries=[OutboxRetry(first.id, 1, 5, NOW, "gone", dead=True)]))
    assert list(await claim(store)) == [second]
    await finish(store, second)
    assert list(await claim(store, later(3600))) == []
    assert await store.backlog(NOTIFY) == (0, None)
    assert await backend.query(store, "SELECT attempts, last_error FROM outbox WHERE dead = true") == [(5, "gone")]


async def test_the_backlog_counts_what_is_live_and_names_the_oldest(store: Store) -> None:
    assert await store.backlog(NOTIFY) == (0, None)
    rows = [make_work(make_incident(), created_at=later(n), due_at=later(99)) for n in (5, 3, 8)]
    await write(store, Changes(outbox=rows))
    assert await store.backlog(NOTIFY) == (3, later(3))
    claimed = {row.id: row for row in await claim(store, later(99))}
    await finish(store, claimed[rows[1].id])
    assert await store.backlog(NOTIFY) == (2, later(5))
    assert await store.backlog(ROUTED) == (0, None)


async def test_every_field_of_work_comes_back(store: Store) -> None:
    row = make_work(
        make_incident(),
        payload='{"reason": "opened", "n": 1}',
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        attempts=2,
        last_error="before",
    )
    await write(store, Changes(outbox=[row]))
    assert list(await claim(store)) == [leased(row)]


async def test_work_that_is_gone_may_be_finished_again(store: Store) -> None:
    (row,) = await add(store, "a")
    assert list(await claim(store)) == [row]
    await finish(store, row)
    await finish(store, row)
    await write(store, Changes(outbox_retries=[OutboxRetry(row.id, row.fence, 1, NOW, "late")]))
    assert await store.backlog(NOTIFY) == (0, None)


async def test_a_lease_that_was_taken_over_can_neither_finish_nor_put_off_the_work(store: Store) -> None:
    await add(store, "a", "a")
    (late,) = await claim(store, until=later(60))
    (new,) = await claim(store, later(60), until=later(120))
    await finish(store, late)
    await write(store, Changes(outbox_retries=[OutboxRetry(late.id, late.fence, 9, later(999), "late", dead=True)]))
    assert list(await claim(store, later(119))) == [], "the new lease stands"
    assert list(await claim(store, later(120))) == [leased(new, 3)], "nothing was overwritten"


async def test_a_unit_of_work_learns_which_of_its_leases_still_stand(store: Store) -> None:
    await add(store, "a", "b", "c", "d")
    kept, finished, lost, dead = await claim(store, until=later(60))
    await finish(store, finished)
    await write(
        store,
        Changes(
            outbox_retries=[
                OutboxRetry(lost.id, lost.fence, 1, later(1), ""),
                OutboxRetry(dead.id, dead.fence, 1, NOW, "gone", dead=True),
            ]
        ),
    )
    (taken_over,) = await claim(store, later(1))
    assert taken_over == lost._replace(attempts=1, due_at=later(1), fence=2)
    async with store.transaction() as tx:
        assert list(await tx.still_leased([dead, lost, kept, finished])) == [kept]
        assert list(await tx.still_leased([taken_over])) == [taken_over]
        assert list(await tx.still_leased([])) == []


async def claim_rows(store: Store, *rows: OutboxRow, at: float = 0, topic: str = NOTIFY) -> list[OutboxRow]:
    """Leases of these rows what may be leased, for a minute."""
    ids = [row.id for row in rows]
    return list(await store.claim_rows(topic, "worker", later(at), later(at + 60), ids))


async def test_rows_are_claimed_by_their_ids_and_no_others(store: Store) -> None:
    a, b, c = await add(store, "a", "b", "c")
    assert await claim_rows(store, c, a, c) == [a, c]
    assert await claim_rows(store, a, c) == [], "they are leased"
    assert await claim_rows(store) == []
    assert list(await claim(store)) == [b]


async def test_a_row_claimed_by_its_id_does_not_overtake_its_lane(store: Store) -> None:
    first, second = await add(store, "a", "a")
    assert await claim_rows(store, second) == []
    assert await claim_rows(store, second, first) == [first]
    await finish(store, first)
    assert await claim_rows(store, second) == [second]


async def test_by_its_id_only_what_is_due_of_the_topic_and_not_over_is_claimed(store: Store) -> None:
    waiting = make_work(make_incident(), lane="a", due_at=later(30))
    await write(store, Changes(outbox=[waiting]))
    elsewhere, done, dead = await add(store, "b", "c", "d")
    assert len(await claim_rows(store, done, dead)) == 2
    await finish(store, done)
    await write(store, Changes(outbox_retries=[OutboxRetry(dead.id, 1, 5, NOW, "gone", dead=True)]))
    assert await claim_rows(store, elsewhere, topic=ROUTED) == []
    assert await claim_rows(store, waiting, done, dead, at=29) == []
    assert await claim_rows(store, waiting, done, dead, elsewhere._replace(id="nonsense"), at=30) == [leased(waiting)]


async def test_a_lease_of_a_row_claimed_by_its_id_has_a_fence_and_runs_out(store: Store) -> None:
    (row,) = await add(store, "a")
    assert await claim_rows(store, row) == [row]
    assert await claim_rows(store, row, at=59) == []
    (again,) = await claim_rows(store, row, at=60)
    assert again == leased(row, 2)
    await finish(store, row)
    assert await store.backlog(NOTIFY) == (1, row.created_at), "the older lease ends nothing"


async def test_a_claim_may_leave_out_what_was_written_lately(store: Store) -> None:
    old, new = (make_work(make_incident(), lane=lane, created_at=later(at)) for lane, at in (("a", 0), ("b", 2)))
    await write(store, Changes(outbox=[old, new]))
    assert list(await store.claim_work(NOTIFY, "worker", later(3), later(60), 10, later(1))) == [leased(old)]
    assert list(await store.claim_work(NOTIFY, "worker", later(3), later(60), 10, later(2))) == [leased(new)]


@pytest.mark.needs("many_writers")
async def test_a_lease_that_a_unit_holds_is_not_given_to_others_before_its_end(store: Store) -> None:
    (row,) = await add(store, "a")
    await claim(store, until=later(60))
    async with store.transaction() as tx:
        assert list(await tx.still_leased([row])) == [row]
        assert list(await claim(store, later(60))) == []
    assert list(await claim(store, later(60))) == [leased(row, 2)]


@pytest.mark.needs("durable", "one_process")
async def test_leases_end_with_the_process_that_held_them(backend: Backend) -> None:
    store = await backend.open()
    (row,) = await add(store, "a")
    assert list(await claim(store)) == [row]
    await store.close()

    again = await backend.open()
    assert list(await claim(again)) == [leased(row, 2)]
    await again.close()


@pytest.mark.needs("many_processes")
async def test_leases_hold_while_another_process_starts(backend: Backend, store: Store) -> None:
    await add(store, "a")
    await claim(store)
    other = await backend.open()
    assert list(await claim(other)) == []
    await other.close()


async def test_a_notification_is_recorded_once_for_its_incident_key_and_channel(store: Store) -> None:
    incident = await opened(store)
    first = make_delivery(incident, dedup_key="opened:1")
    again = make_delivery(incident, dedup_key="opened:1", reason="again")
    other = make_delivery(incident, dedup_key="opened:1", channel="log")
    await write(store, Changes(deliveries=[first]))
    await write(store, Changes(deliveries=[again, other]))
    assert list(await store.deliveries(TENANT, incident.id)) == [first, other]


async def test_the_state_of_a_notification_changes(store: Store) -> None:
    incident = await opened(store)
    delivery = make_delivery(incident)
    await write(store, Changes(deliveries=[delivery]))
    sent = delivery._replace(state=DeliveryState.SENT, attempts=3, error="", updated_at=later(9))
    await write(store, Changes(delivery_updates=[sent]))
    assert list(await store.deliveries(TENANT, incident.id)) == [sent]

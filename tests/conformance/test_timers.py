"""Timers on every database: leased by one, fenced, replaced, put off, and never lost."""

import pytest

from llm_incident_manager.adapters.clock import SystemClock
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.domain.timers import TimerKind
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.ports.timers import Overdue, TimerKey, TimerRetry, TimerRow
from tests.support.backends import Backend
from tests.support.builders import NOW, TENANT, make_id
from tests.support.steps import later, opened, write


def a_timer(due: Instant = NOW, key: str = "snooze", incident: str = "") -> TimerRow:
    return TimerRow(IncidentId(incident or make_id()), key, TENANT, TimerKind.SNOOZE, due, NOW)


async def set_timers(store: Store, *rows: TimerRow) -> None:
    await write(store, Changes(timers=list(rows)))


async def claim(store: Store, at: Instant = NOW, limit: int = 10, owner: str = "worker") -> list[TimerRow]:
    """Leases what is due for a minute."""
    return list(await store.claim_timers(owner, at, Instant(at + later(60) - NOW), limit))


async def still_leased(store: Store, *rows: TimerRow) -> list[TimerRow]:
    async with store.transaction() as tx:
        return list((await tx.hold_timers(rows)).timers)


def leased(row: TimerRow, times: int = 1) -> TimerRow:
    return row._replace(fence=row.created_at + times)


async def test_only_what_is_due_is_leased_the_longest_due_first_and_once(store: Store) -> None:
    second, first, ahead = a_timer(later(-1)), a_timer(later(-2)), a_timer(later(1))
    await set_timers(store, second, first, ahead)
    assert await claim(store) == [leased(first), leased(second)]
    assert await claim(store, owner="another") == []
    assert await claim(store, later(1)) == [leased(ahead)]


async def test_the_database_tells_its_time_where_it_has_one(store: Store) -> None:
    told, own = await store.time(), SystemClock().now()
    assert told is None or (store.kind == "postgresql" and abs(told - own) < 5 * SECOND)
    assert (told is None) == (store.kind != "postgresql")


async def test_a_claim_takes_no_more_than_it_is_told(store: Store) -> None:
    rows = [a_timer(later(-9 + n)) for n in range(3)]
    await set_timers(store, *rows)
    assert await claim(store, limit=2) == [leased(row) for row in rows[:2]]
    assert await claim(store, limit=2) == [leased(rows[2])]


async def test_a_lease_that_runs_out_is_taken_by_another_and_the_first_can_end_nothing(store: Store) -> None:
    await set_timers(store, row := a_timer())
    (mine,) = await claim(store)
    assert await claim(store, later(59)) == []
    (theirs,) = await claim(store, later(60), owner="another")
    assert theirs == leased(row, 2)
    assert await still_leased(store, mine) == []
    assert await still_leased(store, mine, theirs) == [theirs]
    retry = TimerRetry(mine.incident_id, mine.key, mine.fence, 7, NOW, "late")
    await write(store, Changes(timers_done=[mine], timer_retries=[retry]))
    assert await still_leased(store, theirs) == [theirs]
    await write(store, Changes(timers_done=[theirs]))
    assert await store.overdue_timers(later(600)) == Overdue(0, None)


async def test_a_timer_that_is_set_anew_after_its_end_is_not_the_one_before(store: Store) -> None:
    await set_timers(store, first := a_timer())
    (late,) = await claim(store)
    (theirs,) = await claim(store, later(60), owner="another")
    await write(store, Changes(timers_done=[theirs]))
    second = first._replace(due_at=later(61), created_at=later(60))
    await set_timers(store, second)
    await set_timers(store, second._replace(due_at=later(62)))
    assert await still_leased(store, late) == []
    await write(store, Changes(timers_done=[late]))
    assert [row.due_at for row in await claim(store, later(62))] == [later(62)]


async def test_setting_a_timer_again_replaces_it_even_while_it_is_leased(store: Store) -> None:
    await set_timers(store, row := a_timer())
    (mine,) = await claim(store)
    await set_timers(store, again := row._replace(due_at=later(5)))
    assert await still_leased(store, mine) == []
    await write(store, Changes(timers_done=[mine]))
    assert await claim(store, later(4)) == []
    assert await claim(store, later(5)) == [leased(again, 3)]


async def test_names_tell_the_timers_of_an_incident_apart(store: Store) -> None:
    one = a_timer()
    other = a_timer(key="another", incident=one.incident_id)
    await set_timers(store, one, other)
    await write(store, Changes(timers_removed=[TimerKey(one.incident_id, one.key)]))
    assert await claim(store) == [leased(other)]


async def test_what_failed_waits_and_stays_due_since_its_moment(store: Store) -> None:
    await set_timers(store, row := a_timer())
    (mine,) = await claim(store)
    await write(store, Changes(timer_retries=[TimerRetry(*mine[:2], mine.fence, 1, later(4), "busy")]))
    assert await claim(store, later(3)) == []
    assert await store.overdue_timers(later(3)) == Overdue(1, NOW)
    assert await claim(store, later(4)) == [leased(row, 2)._replace(attempts=1, last_error="busy")]


async def test_the_next_timer_is_the_first_that_is_not_due_yet(store: Store) -> None:
    assert await store.next_timer(NOW) is None
    await set_timers(store, a_timer(later(-1)), a_timer(NOW), a_timer(later(5)), a_timer(later(3)))
    assert await store.next_timer(NOW) == later(3)
    assert await store.next_timer(later(3)) == later(5)
    assert await store.next_timer(later(5)) is None


async def test_timers_are_held_with_the_incidents_of_all_of_them_that_exist(store: Store) -> None:
    here = await opened(store)
    there = await opened(store, tenant=TenantId("another"))
    rows = [a_timer(incident=here.id), a_timer(incident=there.id)._replace(tenant=there.tenant), a_timer()]
    await set_timers(store, *rows)
    mine = await claim(store)
    await set_timers(store, next(row for row in rows if row.incident_id == there.id))
    async with store.transaction() as tx:
        held = await tx.hold_timers(mine)
    assert [row.incident_id for row in held.timers] == [row.incident_id for row in mine if row.incident_id != there.id]
    assert held.incidents == {here.id: here, there.id: there}


async def test_a_timer_that_is_done_and_set_again_is_due_again(store: Store) -> None:
    await set_timers(store, row := a_timer())
    (mine,) = await claim(store)
    await write(store, Changes(timers_done=[mine], timers=[row._replace(due_at=later(9))]))
    assert await claim(store, later(8)) == []
    assert await still_leased(store, mine) == []
    assert [each.due_at for each in await claim(store, later(9))] == [later(9)]


async def test_what_is_due_is_counted_leased_or_not(store: Store) -> None:
    await set_timers(store, a_timer(later(-5)), a_timer(later(-3)), a_timer(later(9)))
    await claim(store, limit=1)
    assert await store.overdue_timers(NOW) == Overdue(2, later(-5))


@pytest.mark.needs("durable")
async def test_timers_outlive_the_process(store: Store, backend: Backend) -> None:
    await set_timers(store, row := a_timer(later(10)))
    await store.close()
    again = await backend.open()
    try:
        assert await claim(again, later(3_600)) == [leased(row)]
    finally:
        await again.close()


@pytest.mark.needs("durable", "one_process")
async def test_the_leases_of_a_process_that_is_gone_end_and_waits_after_failures_do_not(
    store: Store, backend: Backend
) -> None:
    await set_timers(store, held := a_timer(), failed := a_timer())
    mine = {row.incident_id: row for row in await claim(store)}[failed.incident_id]
    await write(store, Changes(timer_retries=[TimerRetry(*mine[:2], mine.fence, 1, later(600), "busy")]))
    await store.close()
    again = await backend.open()
    try:
        assert await claim(again, later(1)) == [leased(held, 2)]
    finally:
        await again.close()

"""Watchers see every material change once, in commit order, and go on where they were."""

import asyncio

import pytest

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.timeline import ChangeKind
from llm_incident_manager.ports.changes import ChangeRow, Changes
from llm_incident_manager.ports.stores import Position, Store
from tests.support.builders import NOW, TENANT, make_incident, make_opening
from tests.support.steps import feed, later, opened, write

ELSEWHERE = TenantId("other")


async def test_changes_come_in_commit_order(store: Store) -> None:
    first, second = await opened(store), await opened(store)
    await write(store, Changes(feed=[ChangeRow(TENANT, first.id, ChangeKind.STATE, NOW)]))
    items = await feed(store, 3)
    assert [(item.incident.id, item.kind) for item in items] == [
        (first.id, ChangeKind.OPENED),
        (second.id, ChangeKind.OPENED),
        (first.id, ChangeKind.STATE),
    ]
    assert [item.position for item in items] == sorted({item.position for item in items})


async def test_changes_of_one_unit_keep_their_order(store: Store) -> None:
    incidents = [make_incident() for _ in range(300)]
    await write(store, make_opening(*incidents))
    assert [item.incident.id for item in await feed(store, 300, limit=500)] == [incident.id for incident in incidents]


async def test_a_watcher_goes_on_behind_what_it_has_seen(store: Store) -> None:
    for _ in range(5):
        await opened(store)
    items = await feed(store, 5)
    assert list(await store.feed_after(None, items[1].position, 2)) == list(items[2:4])
    assert list(await store.feed_after(None, items[4].position, 2)) == []


async def test_an_item_shows_the_incident_as_it_is_now(store: Store) -> None:
    incident = await opened(store)
    changed = incident.changed(later(1), title="changed")
    await write(store, Changes(changed=[changed]))
    item, _ = await feed(store, 2)
    assert (item.kind, item.incident) == (ChangeKind.OPENED, changed)


async def test_an_incident_that_nobody_spoke_of_is_announced(store: Store) -> None:
    incident = make_incident()
    await write(store, Changes(opened=[incident]))
    (item,) = await feed(store, 1)
    assert (item.kind, item.incident) == (ChangeKind.UPDATED, incident)


async def test_the_current_position_lies_behind_all_there_is(store: Store) -> None:
    assert await store.feed_position() == Position(0, 0)
    await opened(store)
    (item,) = await feed(store, 1)
    here = await store.feed_position()
    assert here == item.position
    incident = await opened(store)
    (following,) = await feed(store, 1, position=here)
    assert following.incident == incident


async def test_a_tenant_sees_its_own_changes_only(store: Store) -> None:
    mine, theirs = await opened(store), await opened(store, tenant=ELSEWHERE)
    assert [item.incident for item in await feed(store, 2)] == [mine, theirs]
    assert [item.incident for item in await feed(store, 1, TENANT)] == [mine]
    assert [item.incident for item in await feed(store, 1, ELSEWHERE)] == [theirs]


async def test_a_watcher_misses_nothing_while_many_write(store: Store) -> None:
    seen: list[str] = []

    async def watch() -> None:
        position = Position(0, 0)
        while len(seen) < 100:
            for item in await store.feed_after(None, position, 7):
                seen.append(item.incident.id)
                position = item.position
            await asyncio.sleep(0.001)

    async def produce() -> list[str]:
        return [(await opened(store)).id for _ in range(25)]

    async with asyncio.timeout(30):
        watcher = asyncio.create_task(watch())
        made = await asyncio.gather(*(produce() for _ in range(4)))
        await watcher
    assert len(seen) == len(set(seen))
    assert set(seen) == {id_ for ids in made for id_ in ids}
    for ids in made:
        assert [id_ for id_ in seen if id_ in set(ids)] == ids


async def test_the_feed_is_settled_when_nothing_is_held_back(store: Store) -> None:
    await opened(store)
    await feed(store, 1)
    assert await store.feed_settled()


@pytest.mark.needs("many_writers")
async def test_the_feed_says_that_an_older_transaction_holds_back_what_is_committed(store: Store) -> None:
    incident = make_incident()
    async with store.transaction() as older:
        await older.write(make_opening(incident))
        newer = await opened(store)
        assert not await store.feed_settled()
        assert list(await store.feed_after(None, Position(0, 0), 10)) == []
    assert [item.incident.id for item in await feed(store, 2)] == [incident.id, newer.id]

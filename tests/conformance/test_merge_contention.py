"""Merging while events come in by other connections: none is lost, none counts twice, nobody waits for ever."""

import asyncio

import pytest

from llm_incident_manager.domain.disposition import Disposition, EventResult
from llm_incident_manager.domain.errors import FingerprintTaken, IllegalTransition, Merged, StoreUnavailable
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.ports.stores import IncidentQuery, KeyTaken, Store
from tests.support.builders import TENANT, make_event
from tests.support.desk import Desk, desk_on

pytestmark = pytest.mark.needs("many_writers")
KEYS = ("a", "b", "c", "d")
COUNTED = (Disposition.NEW, Disposition.ATTACHED, Disposition.APPLIED)


@pytest.fixture
def desk(store: Store) -> Desk:
    return desk_on(store)


async def ingest(desk: Desk, rounds: int, *, resolve: bool) -> list[EventResult]:
    """Batches over all keys, as several connections send them; what is contended is sent again."""
    results: list[EventResult] = []
    for number in range(rounds):
        events = [make_event(dedup_key=key, event_time=desk.world.clock.now()) for key in (*KEYS, *KEYS[::-1])]
        if resolve and number % 5 == 4:
            events.append(make_event(dedup_key=KEYS[number % 4], action=Action.RESOLVE))
        while True:
            try:
                results += await desk.world.submit(*events)
                break
            except KeyTaken:
                await asyncio.sleep(0)
    return results


async def shuffle(desk: Desk, rounds: int) -> int:
    """Merges and unmerges what is there; returns how often it was done."""
    done = 0
    for number in range(rounds):
        found = [each for each in await desk.world.incidents() if each.is_open]
        merged = [each for each in await desk.world.incidents() if each.merged_into is not None]
        try:
            if number % 2 and merged:
                await desk.unmerge(merged[-1])
            elif len(found) > 1:
                await desk.merge(found[number % len(found)], found[(number + 1) % len(found)])
            done += 1
        except (Merged, IllegalTransition, FingerprintTaken, KeyTaken, StoreUnavailable):
            continue
    return done


@pytest.mark.parametrize("resolve", [False, True])
async def test_nothing_is_lost_or_counted_twice(desk: Desk, resolve: bool) -> None:
    for key in KEYS:
        await desk.opened(key)
    opened = len(KEYS)
    async with asyncio.timeout(60):
        busy = asyncio.create_task(shuffle(desk, 20))
        batches = await asyncio.gather(*(ingest(desk, 15, resolve=resolve) for _ in range(3)))
        done = await busy
    counted = [result for batch in batches for result in batch if result.disposition in COUNTED]
    found = await desk.store.incidents(IncidentQuery(TENANT, limit=1_000))
    assert done > 0
    assert sum(each.event_count for each in found if each.merged_into is None) == opened + len(counted)
    await desk.check()


async def test_an_event_that_waited_for_a_merge_lands_on_the_target(desk: Desk) -> None:
    target, source = await desk.opened("a"), await desk.opened("b")
    async with desk.store.transaction() as tx:
        await tx.incidents(TENANT, sorted((target.id, source.id)))
        waiting = asyncio.create_task(desk.event("b"))
        merging = asyncio.create_task(desk.merge(target, source))
        done, _ = await asyncio.wait({waiting, merging}, timeout=0.2)
        assert not done
    merged, result = await merging, await waiting
    later = await desk.event("b")
    assert later.incident_id == target.id
    assert (await desk.now(target.id)).event_count == 4
    assert result.incident_id in (target.id, source.id)
    assert merged.keys


async def test_resolving_a_merged_incident_waits_for_all_its_fingerprints(desk: Desk) -> None:
    target, source = await desk.opened("a"), await desk.opened("b")
    await desk.merge(target, source)
    async with asyncio.timeout(30):
        await asyncio.gather(
            *(ingest(desk, 5, resolve=False) for _ in range(2)), desk.move(await desk.now(target.id), Verb.RESOLVE)
        )
    await desk.check()

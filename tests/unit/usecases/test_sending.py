"""Memory for what is on its way to subscribers: what one needs beyond its own is waited for, and it never exceeds the
bound."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_incident_manager.domain.incident import Resolution, ResolutionMethod
from llm_incident_manager.usecases import sending
from llm_incident_manager.usecases.sending import COPIES, KIB, OWN_BYTES, PAGE, PAGE_BYTES, RECORD_BYTES, Room
from tests.support.builders import NOW, make_incident

EACH = sending.OWN_BYTES + sending.TRANSPORT_BYTES


class Full(Exception):
    """The refusal."""


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_there_are_as_many_subscribers_as_there_is_room_for() -> None:
    room = Room(2 * EACH, Full)
    first, _ = room.share(), room.share()
    with pytest.raises(Full):
        room.share()
    first.close()
    first.close()  # twice is once
    room.share()
    with pytest.raises(Full):
        room.share()


async def test_small_changes_are_a_subscribers_own_and_large_ones_wait_for_those_of_others() -> None:
    room = Room(2 * EACH + 100 * KIB, Full)
    one, other = room.share(), room.share()
    await one.hold(OWN_BYTES + 100 * KIB)
    await other.hold(OWN_BYTES)
    waiting = asyncio.create_task(other.hold(OWN_BYTES + KIB))
    await settled()
    assert not waiting.done()
    await one.hold(0)
    await waiting
    await one.hold(OWN_BYTES + 99 * KIB)
    one.close()
    await other.hold(OWN_BYTES + 100 * KIB)


async def test_who_waits_for_room_holds_none_that_others_wait_for() -> None:
    room = Room(2 * EACH + 100 * KIB, Full)
    one, other = room.share(), room.share()
    await one.hold(OWN_BYTES + 60 * KIB)
    await other.hold(OWN_BYTES + 40 * KIB)
    more = asyncio.create_task(one.hold(OWN_BYTES + 70 * KIB))
    await settled()
    assert not more.done()
    await other.hold(OWN_BYTES + 90 * KIB)
    other.close()
    await more


async def test_who_finds_no_room_in_time_is_refused() -> None:
    room = Room(2 * EACH, Full, patience=0.01)
    one, _ = room.share(), room.share()
    with pytest.raises(Full):
        await one.hold(OWN_BYTES + 1)
    one.close()
    room.share()


async def test_who_goes_away_while_it_waits_leaves_nothing_behind() -> None:
    room = Room(2 * EACH, Full)
    one, _ = room.share(), room.share()
    waiting = asyncio.create_task(one.hold(OWN_BYTES + 1))
    await settled()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    one.close()
    room.share()


SIZES = st.lists(st.integers(1, 200 * KIB), max_size=30)


@given(SIZES)
def test_a_page_has_few_changes_and_little_memory_but_always_one(sizes: list[int]) -> None:
    page, room = sending.first((place, size) for place, size in enumerate(sizes))
    assert page == list(range(len(page)))
    taken = sizes[: len(page)]
    assert (len(page) > 0) == (len(sizes) > 0)
    assert len(page) <= PAGE
    assert len(page) <= 1 or sum(taken) <= PAGE_BYTES
    assert room == sum(taken) + COPIES * max(taken, default=0)
    assert len(page) == len(sizes) or len(page) == PAGE or sum(sizes[: len(page) + 1]) > PAGE_BYTES


def test_the_texts_of_an_incident_are_its_weight() -> None:
    light = sending.weight(make_incident())
    assert RECORD_BYTES <= light < 2 * RECORD_BYTES
    long, labels = "y" * 10_000, {f"label-{place}": "v" * 100 for place in range(50)}
    ended = Resolution("ann", ResolutionMethod.MANUAL, long, long, NOW)
    heavy = replace(make_incident(), description=long, labels=labels, resolution=ended)
    assert light + 35_000 < sending.weight(heavy) < light + 50_000

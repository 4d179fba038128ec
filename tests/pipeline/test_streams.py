"""A producer's stream is applied once: resends get their stored disposition, zombies commit nothing."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.errors import ProducerFenced, SequenceGap
from llm_incident_manager.domain.event import Event
from llm_incident_manager.pipeline.batch import Known, ProducerClaim, Submission, gather
from llm_incident_manager.pipeline.stages import create
from llm_incident_manager.ports.changes import Changes, ProducerKey
from tests.support.builders import NOW, TENANT, make_event
from tests.support.world import World, a_world

KEY = ProducerKey(TENANT, "dev", "edge-1")


async def opened(world: World) -> int:
    async with world.store.transaction() as tx:
        return (await tx.open_producer(KEY, NOW)).epoch


def claim(epoch: int, first: int, count: int, missing: frozenset[int] = frozenset()) -> ProducerClaim:
    numbers = [n for n in range(first, first + count) if n not in missing]
    return ProducerClaim(KEY, epoch, numbers, first, first + count - 1)


def make_titled(title: str) -> Event:
    return make_event(title=title)


async def test_resent_events_get_their_stored_disposition(world: World) -> None:
    epoch = await opened(world)
    events = [make_event(title=word) for word in ("alpha", "beta", "alpha")]
    first = await world.submit(*events, producer=claim(epoch, 1, 3))
    again = await world.submit(*events, producer=claim(epoch, 1, 3))
    assert list(again) == list(first)
    assert sum(incident.event_count for incident in await world.incidents()) == 3


async def test_a_resend_across_epochs_and_other_frame_borders_is_the_same(world: World) -> None:
    events = [make_event(title="alpha") for _ in range(6)]
    first = await world.submit(*events, producer=claim(await opened(world), 1, 6))
    epoch = await opened(world)
    again = [
        *await world.submit(*events[:4], producer=claim(epoch, 1, 4)),
        *await world.submit(*events[4:], make_event(title="alpha"), producer=claim(epoch, 5, 3)),
    ]
    assert again[:6] == list(first)
    assert again[6].disposition is Disposition.ATTACHED
    assert (await world.incident()).event_count == 7


async def test_rejected_events_leave_a_hole_that_resends_step_over(world: World) -> None:
    epoch = await opened(world)
    events = [make_event(title="alpha") for _ in range(4)]
    hole = frozenset({3})
    first = await world.submit(*events, producer=claim(epoch, 1, 5, hole))
    again = await world.submit(*events, producer=claim(epoch, 1, 5, hole))
    assert list(again) == list(first)


async def test_a_zombie_of_an_older_epoch_commits_nothing(world: World) -> None:
    old = await opened(world)
    await opened(world)
    with pytest.raises(ProducerFenced):
        await world.submit(make_event(), producer=claim(old, 1, 1))
    assert not await world.incidents()


async def test_a_zombie_does_not_spoil_the_batch_it_is_in(world: World) -> None:
    old, new = await opened(world), await opened(world)
    zombie = Submission(TENANT, "dev", [make_event(title="late")], NOW, producer=claim(old, 1, 1))
    alive = Submission(TENANT, "dev", [make_event(title="fine")], NOW, producer=claim(new, 1, 1))
    await world.submit_all(zombie, alive)
    assert isinstance(zombie.error, ProducerFenced)
    assert [result.disposition for result in alive.results] == [Disposition.NEW]
    assert [incident.title for incident in await world.incidents()] == ["fine"]


async def test_a_frame_behind_one_that_failed_commits_nothing(world: World) -> None:
    """Or the failed one would look committed when it is sent again: its events would be acknowledged and lost."""
    epoch = await opened(world)
    with pytest.raises(SequenceGap):
        await world.submit(make_event(title="beta"), producer=claim(epoch, 2, 1))
    first, second = await world.submit(*map(make_titled, ("alpha", "beta")), producer=claim(epoch, 1, 2))
    assert (first.disposition, second.disposition) == (Disposition.NEW, Disposition.NEW)


async def test_frames_of_one_batch_continue_each_other_even_when_all_of_one_was_rejected(world: World) -> None:
    epoch = await opened(world)
    claims = [claim(epoch, 1, 1), claim(epoch, 2, 2, frozenset({2, 3})), claim(epoch, 4, 1), claim(epoch, 6, 1)]
    frames = [
        Submission(TENANT, "dev", [make_titled(f"of {n}") for n in each.sequences], NOW, producer=each)
        for each in claims
    ]
    await world.submit_all(*frames)
    assert [type(frame.error) for frame in frames] == [type(None), type(None), type(None), SequenceGap]
    assert [result.disposition for frame in frames for result in frame.results] == [
        Disposition.NEW,
        Disposition.ATTACHED,
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), min_size=1, max_size=8), st.sets(st.integers(1, 60)))
async def test_any_pattern_of_resends_applies_each_event_once(cuts: list[tuple[int, int]], invalid: set[int]) -> None:
    """Each step goes back by some events and sends some; whatever was sent is applied exactly once."""
    async with a_world() as world:
        committed, told = 0, dict[int, object]()
        for back, count in cuts:
            epoch = await opened(world)
            first = max(1, committed + 1 - back)
            right = claim(epoch, first, count, frozenset(invalid))
            events: list[Event] = [make_event(title=f"word {chr(97 + n % 3)}") for n in right.sequences]
            for number, result in zip(right.sequences, await world.submit(*events, producer=right), strict=True):
                assert told.setdefault(number, result) == result
            committed = max(committed, first + count - 1)
        assert sum(incident.event_count for incident in await world.incidents()) == len(told)


async def test_what_nobody_has_claimed_cannot_be_created(world: World) -> None:
    async with world.store.transaction() as tx:
        with pytest.raises(LookupError, match="dedup claimed"):
            await create.run(gather([], Changes(), NOW, Known()), tx, world.tools)

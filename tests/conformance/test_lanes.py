"""Batches side by side, as where the database commits several at once, decide what they would one after the other."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.pipeline.batch import ProducerClaim, Submission
from llm_incident_manager.pipeline.batcher import Batcher, Limits
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.ports.changes import ProducerKey
from llm_incident_manager.ports.stores import Store
from tests.support.builders import NOW, TENANT, make_event
from tests.support.world import World, a_world

FRAMES, EVENTS = 20, 10


@asynccontextmanager
async def two_lanes(world: World) -> AsyncIterator[Batcher]:
    batcher = Batcher(Runner(world.tools), Limits(batch_events=3 * EVENTS, lanes=2), world.tools.metrics)
    running = asyncio.create_task(batcher.run())
    try:
        yield batcher
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def stream(world: World, batcher: Batcher, name: str, titles: tuple[str, str]) -> list[Submission]:
    """A producer's frames, each of them half of one title and half of the other, without waiting for any."""
    key, lane = ProducerKey(TENANT, "dev", name), batcher.lane()
    async with world.store.transaction() as tx:
        epoch = (await tx.open_producer(key, NOW)).epoch
    sent = []
    for first in range(1, FRAMES * EVENTS, EVENTS):
        events = [make_event(title=titles[n % 2].format(first=_word(first))) for n in range(EVENTS)]
        claim = ProducerClaim(key, epoch, range(first, first + EVENTS), first, first + EVENTS - 1)
        submission = Submission(TENANT, "dev", events, NOW, producer=claim)
        sent.append((submission, await batcher.enqueue(submission, lane)))
    await asyncio.gather(*(done for _, done in sent))
    return [submission for submission, _ in sent]


def _word(number: int) -> str:
    """Letters for digits: numbers in titles are normalised."""
    return str(number).translate(str.maketrans("0123456789", "abcdefghij"))


async def test_streams_in_two_lanes_share_incidents_and_lose_nothing(store: Store) -> None:
    async with a_world(store=store) as world, two_lanes(world) as batcher:
        both = await asyncio.gather(
            stream(world, batcher, "one", ("in both", "in both {first}")),
            stream(world, batcher, "two", ("in both", "in both {first}")),
        )
        results = [result for sent in both for submission in sent for result in submission.results]
        decided = Counter(result.disposition for result in results)
        assert decided == {Disposition.NEW: 1 + FRAMES, Disposition.ATTACHED: len(results) - 1 - FRAMES}
        incidents = await world.incidents()
        assert sum(incident.event_count for incident in incidents) == len(results) == 2 * FRAMES * EVENTS
        assert len({incident.number for incident in incidents}) == len(incidents) == 1 + FRAMES


async def test_a_stream_keeps_its_order_beside_another_with_incidents_of_its_own(store: Store) -> None:
    async with a_world(store=store) as world, two_lanes(world) as batcher:
        both = await asyncio.gather(
            stream(world, batcher, "one", ("one", "one {first}")), stream(world, batcher, "two", ("two", "two {first}"))
        )
        for sent in both:
            first, *later = [result.disposition for submission in sent for result in submission.results[::2]]
            assert first is Disposition.NEW
            assert set(later) == {Disposition.ATTACHED}
            ids = [result.event_id for submission in sent for result in submission.results]
            assert ids == sorted(ids, key=str)

"""A batch is decided anew while others are quicker with its keys, and gives up with the reason."""

import pytest

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.pipeline import runner
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.ports.stores import KeyTaken
from tests.support.builders import TENANT, make_event
from tests.support.world import World, a_world


class Contended(Runner):
    """The real runner on a store where others take a key first, so many times."""

    def __init__(self, world: World, times: int) -> None:
        super().__init__(world.tools)
        self.times = times
        self.attempts = 0

    async def reserve(self, submissions: object) -> None:
        self.attempts += 1
        await super().reserve(submissions)  # type: ignore[arg-type]  # as the runner gives them
        if self.attempts <= self.times:
            raise KeyTaken("incident_key")


async def attempt(world: World, contended: Contended) -> None:
    submission = Submission(TENANT, "dev", (make_event(),), world.clock.now())
    contended.prepare(submission)
    await contended.commit([submission])


async def test_a_batch_that_lost_a_race_is_decided_anew(world: World) -> None:
    contended = Contended(world, times=runner.ATTEMPTS - 1)
    await attempt(world, contended)
    assert contended.attempts == runner.ATTEMPTS
    assert (await world.incident()).event_count == 1


async def test_a_batch_that_loses_every_race_is_given_up_and_nothing_is_written(world: World) -> None:
    with pytest.raises(StoreUnavailable, match="still contended after 5 attempts: incident_key was changed"):
        await attempt(world, Contended(world, times=runner.ATTEMPTS))
    assert await world.incidents() == []


async def test_without_fingerprints_only_a_dedup_key_makes_two_events_one_problem() -> None:
    async with a_world(fingerprints=False) as world:
        await world.submit(make_event(), make_event(), make_event(dedup_key="k"), make_event(dedup_key="k"))
        assert sorted(incident.event_count for incident in await world.incidents()) == [1, 1, 2]

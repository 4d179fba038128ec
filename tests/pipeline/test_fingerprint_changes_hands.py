"""One batch may end a problem and open it anew, several times: the fingerprint ends with the last open incident."""

import itertools

import pytest

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.event import Action
from tests.support.builders import make_event
from tests.support.world import World

TRIGGER, RESOLVE = Action.TRIGGER, Action.RESOLVE
STORIES = [story for length in range(1, 6) for story in itertools.product((TRIGGER, RESOLVE), repeat=length)]


@pytest.mark.parametrize("held", [False, True], ids=["free", "held"])
async def test_any_order_of_triggers_and_resolves_in_one_batch_is_decided(world: World, held: bool) -> None:
    for number, story in enumerate(STORIES):
        key, is_open = f"problem-{number}", held
        if held:
            await world.submit(make_event(dedup_key=key))
        results = await world.submit(*(make_event(dedup_key=key, action=action) for action in story))
        for action, result in zip(story, results, strict=True):
            expected = {
                (TRIGGER, False): Disposition.NEW,
                (TRIGGER, True): Disposition.ATTACHED,
                (RESOLVE, True): Disposition.APPLIED,
                (RESOLVE, False): Disposition.IGNORED,
            }[action, is_open]
            assert result.disposition is expected, (story, results)
            is_open = action is TRIGGER
        (after,) = await world.submit(make_event(dedup_key=key))
        assert after.disposition is (Disposition.ATTACHED if is_open else Disposition.NEW), story

"""One change to all incidents that match: counted first, in small units, continued after a cut."""

import pytest

from llm_incident_manager.domain import filters
from llm_incident_manager.domain.errors import CountChanged, RequestIdReused, TooManyMatches
from llm_incident_manager.domain.lifecycle import State, Verb
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import IncidentQuery, KeyTaken, Store
from llm_incident_manager.usecases import applying
from llm_incident_manager.usecases.applying import Assigning, Noting, Tally, Wish
from llm_incident_manager.usecases.incidents import Ask
from llm_incident_manager.usecases.unit import Once
from tests.support.builders import TENANT, make_incident, make_opening
from tests.support.desk import CALLER, Desk, desk_on
from tests.support.steps import write

EVERY = filters.parse('source = "shield"')
NEW = filters.parse("state = NEW")


@pytest.fixture
def desk(store: Store) -> Desk:
    return desk_on(store)


async def many(desk: Desk, count: int) -> None:
    await write(desk.store, make_opening(*(make_incident() for _ in range(count))))


def counts(tally: Tally) -> tuple[int, int, int, int]:
    return tally.matched, tally.changed, tally.unchanged, tally.failed


async def in_state(desk: Desk, state: State) -> int:
    return await desk.store.count_incidents(IncidentQuery(TENANT, filters.parse(f"state = {state}")))


async def test_a_preview_counts_and_shows_and_changes_nothing(desk: Desk) -> None:
    await many(desk, 23)
    tally = await desk.applying.preview(CALLER, Wish(EVERY, Ask(Verb.ACKNOWLEDGE, "ann")))
    assert counts(tally) == (23, 23, 0, 0)
    oldest = [incident.id for incident in await desk.world.incidents()][: applying.SAMPLE]
    assert [incident.id for incident in tally.sample] == oldest
    assert await in_state(desk, State.NEW) == 23


async def test_each_incident_decides_for_itself(desk: Desk) -> None:
    await many(desk, 3)
    first, second, third = await desk.world.incidents()
    await desk.move(first, Verb.RESOLVE)
    await desk.move(second, Verb.ACKNOWLEDGE)
    wish = Wish(EVERY, Ask(Verb.ACKNOWLEDGE, "ann"))
    seen = await desk.applying.preview(CALLER, wish)
    tally = await desk.applying.apply(CALLER, wish, "", b"")
    assert counts(tally) == counts(seen) == (3, 1, 1, 1)
    (failure,) = tally.failures
    assert (failure.incident, failure.reason) == (first.id, "ILLEGAL_TRANSITION")
    assert (await desk.now(third.id)).state is State.ACKNOWLEDGED


async def test_more_than_one_unit_of_work_is_done_and_a_repeat_answers_alike(desk: Desk) -> None:
    size = 2 * applying.CHUNK + 7
    await many(desk, size)
    wish = Wish(NEW, Ask(Verb.RESOLVE, "ann", force=True), expected=size)
    tally = await desk.applying.apply(CALLER, wish, "once", b"d")
    assert counts(tally) == (size, size, 0, 0)
    assert await desk.applying.apply(CALLER, wish, "once", b"d") == tally
    assert await in_state(desk, State.RESOLVED) == size
    with pytest.raises(RequestIdReused):
        await desk.applying.apply(CALLER, wish, "once", b"another")
    with pytest.raises(CountChanged):
        await desk.applying.apply(CALLER, wish, "twice", b"d")


async def test_what_was_cut_off_continues_and_does_nothing_twice(desk: Desk) -> None:
    await many(desk, 2 * applying.CHUNK)
    wish = Wish(EVERY, Noting("ann", "looked at"))
    whole = desk.applying._chunk
    calls = 0

    async def cut(*given: object) -> Tally:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyTaken("the connection")
        return await whole(*given)  # type: ignore[arg-type]

    desk.applying._chunk = cut  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyTaken):
        await desk.applying.apply(CALLER, wish, "cut", b"d")
    tally = await desk.applying.apply(CALLER, wish, "cut", b"d")
    assert counts(tally) == (2 * applying.CHUNK, 2 * applying.CHUNK, 0, 0)
    for incident in await desk.world.incidents():
        notes = await desk.store.timeline(TENANT, incident.id, "", 10, TimelineKind.NOTE)
        assert [note.text for note in notes] == ["looked at"]


async def test_a_limit_takes_the_oldest_and_no_limit_refuses_too_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(desk, 9)
    monkeypatch.setattr(applying, "MOST", 5)
    wish = Wish(EVERY, Assigning("ann", ("bob",)))
    with pytest.raises(TooManyMatches) as refused:
        await desk.applying.apply(CALLER, wish, "", b"")
    assert refused.value.metadata == {"matched": "9", "limit": "5"}
    tally = await desk.applying.apply(CALLER, Wish(EVERY, wish.change, limit=4), "", b"")
    assert counts(tally) == (9, 4, 0, 0)
    assert [each.assignees for each in await desk.world.incidents()] == [("bob",)] * 4 + [()] * 5


async def test_two_incidents_of_one_fingerprint_are_not_both_reopened(desk: Desk) -> None:
    first = await desk.opened("a")
    await desk.move(first, Verb.RESOLVE)
    second = await desk.opened("a")
    await desk.move(second, Verb.RESOLVE)
    tally = await desk.applying.apply(CALLER, Wish(EVERY, Ask(Verb.REOPEN, "ann")), "", b"")
    assert counts(tally) == (2, 1, 0, 1)
    assert tally.failures[0].reason == "FINGERPRINT_TAKEN"
    await desk.check()


async def test_what_no_longer_matches_when_its_turn_comes_is_left_alone(desk: Desk) -> None:
    await many(desk, 1)
    (only,) = await desk.world.incidents()
    wish = Wish(NEW, Noting("ann", "still new"))
    plan = applying.Plan(1, (only.id,))

    async def keep(_: object, __: Changes) -> applying.Plan:
        return plan

    once = Once("planned", b"d", applying._encode_plan, applying._decode_plan)
    await desk.units.run(CALLER, once, keep)
    await desk.move(only, Verb.ACKNOWLEDGE)
    assert counts(await desk.applying.apply(CALLER, wish, "planned", b"d")) == (1, 0, 1, 0)

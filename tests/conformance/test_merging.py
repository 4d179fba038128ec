"""Merging, taking apart and splitting on every database, with events coming in between."""

from dataclasses import replace

import pytest

from llm_incident_manager.domain.disposition import Disposition
from llm_incident_manager.domain.errors import (
    FingerprintTaken,
    IllegalTransition,
    InvalidFields,
    Merged,
    NotFound,
    StaleEtag,
)
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.lifecycle import State, Verb
from llm_incident_manager.domain.relations import Relation
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.splitting import Why
from llm_incident_manager.domain.time import MINUTE, Instant
from llm_incident_manager.ports.stores import Store
from tests.support.builders import TENANT, make_event, make_id
from tests.support.desk import Desk, desk_on
from tests.support.steps import feed


@pytest.fixture
def desk(store: Store) -> Desk:
    return desk_on(store)


async def test_sources_end_in_the_target_with_their_counters_fingerprints_and_later_events(desk: Desk) -> None:
    target = await desk.opened("a", input_tokens=10, cost_usd=0.5)
    one = await desk.opened("b", input_tokens=1, users_affected=7, severity="critical")
    await desk.event("b")
    two = await desk.opened("c")
    merged = await desk.merge(target, one, two)
    assert (merged.event_count, merged.tokens, merged.users_affected) == (4, 11, 7)
    assert merged.severity is Severity.P0
    assert [(await desk.now(each.id)).state for each in (one, two)] == [State.CLOSED, State.CLOSED]
    assert (await desk.now(one.id)).merged_into == target.id
    later = await desk.event("b")
    assert (later.disposition, later.incident_id) == (Disposition.ATTACHED, target.id)
    assert (await desk.event("c", Action.ACKNOWLEDGE)).incident_id == target.id
    assert (await desk.now(target.id)).state is State.ACKNOWLEDGED
    assert (await desk.event("b", Action.RESOLVE)).disposition is Disposition.APPLIED
    assert (await desk.now(target.id)).state is State.RESOLVED
    assert [await desk.holder(key) for key in "abc"] == [None, None, None]
    successor = await desk.opened("c")
    assert successor.previous_id == target.id
    await desk.check()


async def test_a_merge_is_told_on_both_sides_and_links_them(desk: Desk) -> None:
    target, source = await desk.opened("a", severity="low"), await desk.opened("b", severity="critical")
    await desk.merge(target, source)
    assert {"MERGED", "SEVERITY"} <= set(await desk.told(target))
    assert "MERGED" in await desk.told(source)
    assert await desk.related(target) == {(Relation.MERGED_FROM, source.id)}
    assert await desk.related(source) == {(Relation.MERGED_INTO, target.id)}
    kinds = [(item.incident.id, str(item.kind)) for item in await feed(desk.store, 4)]
    assert (target.id, "UPDATED") in kinds
    assert (source.id, "UPDATED") in kinds
    await desk.world.settle()
    assert {(each.incident_id, each.reason) for each in desk.world.channel.sent} >= {
        (source.id, "merged"),
        (target.id, "severity_raised"),
    }


async def test_merging_the_same_again_changes_nothing(desk: Desk) -> None:
    target, source = await desk.opened("a"), await desk.opened("b")
    merged = await desk.merge(target, source, source)
    again = await desk.merge(target, source)
    assert again == merged
    assert (await desk.told(target)).count("MERGED") == 1


async def test_what_cannot_be_merged_is_refused_with_what_to_do(desk: Desk) -> None:
    target, source, other = [await desk.opened(key) for key in "abc"]
    with pytest.raises(InvalidFields, match="leave it out"):
        await desk.merge(target, target)
    with pytest.raises(StaleEtag):
        await desk.merge(target, source, etag="99")
    await desk.merge(target, source)
    with pytest.raises(Merged, match=target.id):
        await desk.merge(other, source)
    with pytest.raises(Merged, match="use that one"):
        await desk.merge(source, other)
    await desk.move(other, Verb.RESOLVE)
    with pytest.raises(IllegalTransition, match=other.number):
        await desk.merge(target, other)
    with pytest.raises(IllegalTransition):
        await desk.merge(other, target)
    with pytest.raises(Merged, match="unmerge"):
        await desk.move(source, Verb.REOPEN)


async def test_an_unknown_incident_stops_the_whole_merge(desk: Desk) -> None:
    target, source = await desk.opened("a"), await desk.opened("b")
    unknown = await desk.opened("c")
    with pytest.raises(NotFound):
        await desk.merge(target, source, replace(unknown, number=make_id()))
    assert (await desk.now(source.id)).is_open
    assert unknown.is_open


async def test_a_merged_incident_comes_back_as_it_was_and_gets_its_events_again(desk: Desk) -> None:
    target = await desk.opened("a", input_tokens=10)
    desk.world.clock.forward(MINUTE)
    source = await desk.move(await desk.opened("b", input_tokens=5, users_affected=3), Verb.ACKNOWLEDGE)
    await desk.merge(target, source)
    between = await desk.event("b", input_tokens=1)
    back, rest = await desk.unmerge(source)
    assert (back.state, back.event_count, back.tokens, back.merged_into, back.closed_at) == (
        State.ACKNOWLEDGED,
        1,
        5,
        None,
        None,
    )
    assert (rest.event_count, rest.tokens, rest.users_affected) == (2, 11, 0)
    assert between.incident_id == target.id
    assert (await desk.event("b")).incident_id == source.id
    assert (await desk.event("a")).incident_id == target.id
    assert await desk.related(target) == set()
    assert (await desk.told(source))[-1] == "UNMERGED"
    assert (await desk.now(target.id), await desk.now(source.id)) != (target, source)
    await desk.check()


async def test_one_of_several_sources_can_leave_and_the_others_stay(desk: Desk) -> None:
    target, early, late = await desk.opened("a"), await desk.opened("b"), await desk.opened("c")
    await desk.merge(target, early, late)
    _, rest = await desk.unmerge(early)
    assert rest.event_count == 2
    assert [await desk.holder(key) for key in "abc"] == [target.id, early.id, target.id]
    await desk.unmerge(late)
    whole = await desk.now(target.id)
    assert (whole.keys, whole.unmerge, whole.event_count) == ((), None, 1)
    await desk.check()


async def test_extremes_that_a_source_brought_leave_with_it(desk: Desk) -> None:
    target = await desk.opened("a", users_affected=2)
    before = Instant(desk.world.clock.now() - 30 * MINUTE)
    (early,) = await desk.world.submit(make_event(dedup_key="b", event_time=before, users_affected=9))
    source = await desk.now(str(early.incident_id))
    merged = await desk.merge(target, source)
    assert (merged.first_seen, merged.users_affected) == (source.first_seen, 9)
    _, rest = await desk.unmerge(source)
    assert (rest.first_seen, rest.last_seen, rest.users_affected) == (target.first_seen, target.last_seen, 2)


async def test_merges_of_merges_are_taken_apart_from_the_outside(desk: Desk) -> None:
    inner, middle, outer = [await desk.opened(key) for key in "abc"]
    await desk.merge(middle, inner)
    await desk.merge(outer, middle)
    assert [await desk.holder(key) for key in "abc"] == [outer.id] * 3
    assert (await desk.now(outer.id)).event_count == 3
    with pytest.raises(Merged, match="unmerge that one first"):
        await desk.unmerge(inner)
    await desk.unmerge(middle)
    assert [await desk.holder(key) for key in "abc"] == [middle.id, middle.id, outer.id]
    await desk.unmerge(inner)
    assert [await desk.holder(key) for key in "abc"] == [inner.id, middle.id, outer.id]
    assert [(await desk.now(each.id)).event_count for each in (inner, middle, outer)] == [1, 1, 1]
    await desk.check()


async def test_unmerging_out_of_a_resolved_incident_takes_the_free_fingerprint(desk: Desk) -> None:
    target, source = await desk.opened("a"), await desk.opened("b")
    await desk.merge(target, source)
    await desk.move(target, Verb.RESOLVE)
    back, _ = await desk.unmerge(source)
    assert (back.state, await desk.holder("b")) == (State.NEW, source.id)


async def test_unmerging_is_refused_while_a_newer_incident_has_the_fingerprint(desk: Desk) -> None:
    target, source = await desk.opened("a"), await desk.opened("b")
    await desk.merge(target, source)
    await desk.move(target, Verb.RESOLVE)
    newer = await desk.opened("b")
    with pytest.raises(FingerprintTaken, match=newer.id):
        await desk.unmerge(source)
    with pytest.raises(IllegalTransition, match=newer.number):
        await desk.unmerge(newer)


async def test_reopening_takes_all_fingerprints_back_or_none(desk: Desk) -> None:
    target, source = await desk.opened("a"), await desk.opened("b")
    await desk.merge(target, source)
    await desk.move(target, Verb.RESOLVE)
    newer = await desk.opened("b")
    with pytest.raises(FingerprintTaken, match=newer.id):
        await desk.move(target, Verb.REOPEN)
    assert await desk.holder("a") is None
    await desk.move(newer, Verb.RESOLVE)
    await desk.move(target, Verb.REOPEN)
    assert [await desk.holder(key) for key in "ab"] == [target.id, target.id]
    await desk.check()


async def test_events_leave_an_incident_and_later_ones_stay(desk: Desk) -> None:
    whole = await desk.opened("a", input_tokens=1)
    leaving = await desk.event("a", input_tokens=5, title="Quite another thing", severity="critical")
    outcome = await desk.split(await desk.now(whole.id), [str(leaving.event_id)])
    assert (outcome.new.title, outcome.new.severity, outcome.new.state) == (
        "Quite another thing",
        Severity.P0,
        State.NEW,
    )
    assert (outcome.new.event_count, outcome.new.tokens, outcome.rest.event_count, outcome.rest.tokens) == (1, 5, 1, 1)
    assert [(fate.moved, fate.why) for fate in outcome.fates] == [(False, Why.EVENTS_REMAIN), (True, Why.NEW)]
    assert (await desk.store.event(TENANT, leaving.event_id)).row.incident_id == outcome.new.id  # type: ignore[arg-type]
    assert (await desk.event("a")).incident_id == whole.id
    own = outcome.new.fingerprint.value
    assert (await desk.event(own)).incident_id == outcome.new.id
    assert await desk.related(outcome.new) == {(Relation.SPLIT_FROM, whole.id)}
    assert await desk.related(whole) == {(Relation.SPLIT_INTO, outcome.new.id)}
    await desk.check()


async def test_a_fingerprint_goes_along_when_all_its_events_leave(desk: Desk) -> None:
    target, source = await desk.opened("a"), await desk.opened("b")
    first = [str((await desk.event("b")).event_id)]
    await desk.merge(target, source)
    after = await desk.event("b")
    early = [entry.details["event"] for entry in await desk.store.timeline(TENANT, source.id, "", 1)]
    events = [*early, *first, str(after.event_id)]
    part = await desk.split(target, events[:2])
    assert [(fate.moved, fate.why) for fate in part.fates] == [(False, Why.EVENTS_REMAIN), (True, Why.NEW)]
    rest = await desk.split(target, events[2:])
    assert [(fate.name.value, fate.moved, fate.why) for fate in rest.fates] == [("b", True, Why.ALL_EVENTS_LEFT)]
    assert (await desk.event("b")).incident_id == rest.new.id
    assert (await desk.now(target.id)).event_count == 1
    with pytest.raises(FingerprintTaken, match=rest.new.id):
        await desk.unmerge(source)
    await desk.check()


async def test_an_event_without_a_body_leaves_and_says_so(desk: Desk) -> None:
    whole = await desk.opened("a", input_tokens=3)
    results = [await desk.event("a", input_tokens=3) for _ in range(25)]
    bodies = [(await desk.store.event(TENANT, r.event_id)).body for r in results if r.event_id]
    bare = next(str(r.event_id) for r, body in zip(results, bodies, strict=True) if body is None)
    outcome = await desk.split(whole, [bare])
    assert (outcome.unknown, outcome.new.event_count, outcome.new.tokens) == (1, 1, 0)
    assert (outcome.rest.event_count, outcome.rest.tokens) == (25, 78)


async def test_what_cannot_be_split_is_refused_with_what_to_do(desk: Desk) -> None:
    whole, other = await desk.opened("a"), await desk.opened("b")
    event = await desk.event("a")
    foreign = await desk.event("b")
    ids = [str(event.event_id), str(foreign.event_id)]
    with pytest.raises(InvalidFields, match=other.id):
        await desk.split(whole, ids)
    with pytest.raises(NotFound):
        await desk.split(whole, [make_id()])
    (opening,) = [e.details["event"] for e in await desk.store.timeline(TENANT, whole.id, "", 1)]
    with pytest.raises(InvalidFields, match="leave at least one"):
        await desk.split(whole, [opening, ids[0]])
    await desk.move(whole, Verb.RESOLVE)
    with pytest.raises(IllegalTransition, match=whole.number):
        await desk.split(whole, ids[:1])


async def test_a_source_whose_events_left_comes_back_without_them(desk: Desk) -> None:
    target, source = await desk.opened("a"), await desk.opened("b")
    leaving = await desk.event("b", input_tokens=4)
    await desk.merge(target, source)
    outcome = await desk.split(target, [str(leaving.event_id)])
    assert outcome.rest.event_count == 2
    back, rest = await desk.unmerge(source)
    assert (back.event_count, back.tokens, rest.event_count) == (1, 0, 1)
    await desk.check()

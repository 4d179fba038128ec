"""Every event ends in exactly one disposition, with its reason."""

import pytest

from llm_incident_manager.domain.disposition import Disposition, Reason
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.rules import MuteRule
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import DAY, HOUR, MINUTE, SECOND, Instant
from tests.support.builders import NOW, TENANT, make_event
from tests.support.world import World, a_world


async def test_the_first_event_of_its_kind_opens_an_incident(world: World) -> None:
    (result,) = await world.submit(make_event())
    incident = await world.incident()
    assert (result.disposition, result.reason) == (Disposition.NEW, Reason.FIRST_OF_ITS_KIND)
    assert result.incident_id == incident.id
    assert (incident.state, incident.event_count) == (State.NEW, 1)


async def test_more_events_attach_to_the_open_incident_and_count(world: World) -> None:
    event = make_event(input_tokens=10, output_tokens=5, cost_usd=0.5, users_affected=3)
    results = await world.submit(event, event, event._replace(users_affected=7))
    incident = await world.incident()
    assert [result.disposition for result in results] == [Disposition.NEW, Disposition.ATTACHED, Disposition.ATTACHED]
    assert {result.incident_id for result in results} == {incident.id}
    assert (incident.event_count, incident.tokens, incident.cost_usd, incident.users_affected) == (3, 45, 1.5, 7)


async def test_counting_does_not_change_the_etag(world: World) -> None:
    await world.submit(make_event())
    before = await world.incident()
    await world.submit(make_event(), make_event())
    after = await world.incident()
    assert (after.event_count, after.etag) == (3, before.etag)


async def test_a_repeated_idempotency_key_is_a_duplicate_of_the_first(world: World) -> None:
    (first,) = await world.submit(make_event(idempotency_key="k"))
    (again,) = await world.submit(make_event(idempotency_key="k", title="anything else"))
    assert (again.disposition, again.reason) == (Disposition.DUPLICATE, Reason.SAME_IDEMPOTENCY_KEY)
    assert (again.event_id, again.incident_id) == (first.event_id, first.incident_id)
    assert (await world.incident()).event_count == 1


async def test_a_key_repeated_within_one_batch_is_a_duplicate_too(world: World) -> None:
    first, again, other = await world.submit(
        make_event(idempotency_key="k"), make_event(idempotency_key="k"), make_event(idempotency_key="other")
    )
    assert [r.disposition for r in (first, again, other)] == [
        Disposition.NEW,
        Disposition.DUPLICATE,
        Disposition.ATTACHED,
    ]
    assert again.event_id == first.event_id


async def test_every_accepted_event_has_a_ledger_row_of_its_own(world: World) -> None:
    results = await world.submit(make_event(idempotency_key="k"), make_event(idempotency_key="k"))
    stored = await world.store.event(TENANT, results[0].event_id or "")  # type: ignore[arg-type]  # an id
    assert stored.row.disposition is Disposition.NEW
    ledger = world.tools.metrics.page("").body.decode()
    assert 'incident_manager_events_total{disposition="new"} 1.0' in ledger
    assert 'incident_manager_events_total{disposition="duplicate"} 1.0' in ledger


async def test_a_muted_event_is_suppressed_and_opens_nothing() -> None:
    async with a_world(mutes=(MuteRule("load test", source="loadgen"),)) as world:
        (result,) = await world.submit(make_event(source="loadgen"))
        assert (result.disposition, result.reason) == (Disposition.SUPPRESSED, Reason.MUTED)
        assert not await world.incidents()


async def test_a_more_severe_event_raises_the_incident(world: World) -> None:
    await world.submit(make_event(severity="low"))
    (result,) = await world.submit(make_event(severity="critical"))
    incident = await world.incident()
    assert (result.reason, incident.severity) == (Reason.SEVERITY_RAISED, Severity.P0)
    kinds = [entry.kind for entry in await world.store.timeline(TENANT, incident.id, "", 100)]
    assert "SEVERITY" in kinds


async def test_a_less_severe_event_does_not_lower_it(world: World) -> None:
    await world.submit(make_event(severity="critical"))
    await world.submit(make_event(severity="info"))
    assert (await world.incident()).severity is Severity.P0


async def test_a_gap_beyond_the_window_marks_the_incident_recurred(world: World) -> None:
    await world.submit(make_event())
    world.clock.forward(16 * MINUTE)
    (result,) = await world.submit(make_event(event_time=world.clock.now()))
    assert result.reason is Reason.RECURRED
    assert (await world.incident()).recurred


async def test_an_incident_that_alerts_for_hours_stays_one(world: World) -> None:
    for _ in range(20):
        await world.submit(make_event(event_time=world.clock.now()))
        world.clock.forward(14 * MINUTE)
    incident = await world.incident()
    assert (incident.event_count, incident.recurred) == (20, False)


async def test_a_resolve_event_resolves_and_the_next_trigger_opens_a_linked_successor(world: World) -> None:
    (first,) = await world.submit(make_event())
    (over,) = await world.submit(make_event(action=Action.RESOLVE))
    (second,) = await world.submit(make_event())
    assert (over.disposition, over.reason, over.incident_id) == (
        Disposition.APPLIED,
        Reason.RESOLVED,
        first.incident_id,
    )
    assert (second.disposition, second.reason) == (Disposition.NEW, Reason.AFTER_RESOLUTION)
    old, new = await world.incidents()
    assert (old.state, new.state, new.previous_id) == (State.RESOLVED, State.NEW, old.id)


async def test_open_resolve_and_open_again_within_one_batch(world: World) -> None:
    results = await world.submit(
        make_event(), make_event(action=Action.RESOLVE), make_event(), make_event(), make_event(action=Action.RESOLVE)
    )
    assert [r.disposition.name for r in results] == ["NEW", "APPLIED", "NEW", "ATTACHED", "APPLIED"]
    old, new = await world.incidents()
    assert (old.state, new.state, new.previous_id) == (State.RESOLVED, State.RESOLVED, old.id)


async def test_nothing_open_to_resolve_is_ignored_with_its_reason(world: World) -> None:
    (result,) = await world.submit(make_event(action=Action.RESOLVE))
    assert (result.disposition, result.reason) == (Disposition.IGNORED, Reason.NO_OPEN_INCIDENT)


async def test_an_acknowledge_event_acknowledges_once(world: World) -> None:
    await world.submit(make_event())
    (taken,) = await world.submit(make_event(action=Action.ACKNOWLEDGE))
    (again,) = await world.submit(make_event(action=Action.ACKNOWLEDGE))
    assert (taken.reason, again.reason) == (Reason.ACKNOWLEDGED, Reason.ALREADY_ACKNOWLEDGED)
    assert (await world.incident()).state is State.ACKNOWLEDGED


async def test_a_change_is_recorded_and_opens_nothing(world: World) -> None:
    (result,) = await world.submit(make_event(action=Action.CHANGE, title="deploy 42"))
    assert (result.disposition, result.reason) == (Disposition.APPLIED, Reason.CHANGE_RECORDED)
    assert not await world.incidents()


async def test_a_silent_model_change_is_a_change_whatever_its_action(world: World) -> None:
    (result,) = await world.submit(make_event(kind="silent_model_change"))
    assert result.reason is Reason.CHANGE_RECORDED


async def test_dedup_keys_group_whatever_else_differs(world: World) -> None:
    results = await world.submit(make_event(dedup_key="p1", title="one"), make_event(dedup_key="p1", title="two"))
    assert [r.disposition for r in results] == [Disposition.NEW, Disposition.ATTACHED]
    assert (await world.incident()).fingerprint.version == 0


async def test_switched_off_fingerprints_group_only_by_dedup_key() -> None:
    async with a_world(fingerprints=False) as world:
        results = await world.submit(make_event(), make_event(), make_event(dedup_key="k"), make_event(dedup_key="k"))
        assert [r.disposition.name for r in results] == ["NEW", "NEW", "NEW", "ATTACHED"]


async def test_the_first_twenty_bodies_are_kept_then_a_sample(world: World) -> None:
    results = await world.submit(*[make_event() for _ in range(70)])
    kept = [n for n, r in enumerate(results, 1) if (await world.store.event(TENANT, r.event_id)).body is not None]  # type: ignore[arg-type]  # an id
    assert kept == [*range(1, 21), 32, 64]


@pytest.mark.parametrize("age", [2 * HOUR, 30 * DAY])
async def test_old_events_are_grouped_and_never_notify(world: World, age: int) -> None:
    await world.submit(make_event(event_time=Instant(NOW - age), severity="critical"))
    await world.settle()
    assert (await world.incident()).historical
    assert not world.channel.sent


async def test_an_unknown_severity_word_leaves_a_warning_and_a_label(world: World) -> None:
    (result,) = await world.submit(make_event(kind="", severity="catastrophic-ish"))
    incident = await world.incident()
    assert result.warnings
    assert "catastrophic-ish" in incident.labels.values()


async def test_first_and_last_seen_follow_event_time(world: World) -> None:
    early, late = Instant(NOW - 5 * MINUTE), Instant(NOW - SECOND)
    await world.submit(make_event(event_time=late), make_event(event_time=early))
    incident = await world.incident()
    assert (incident.first_seen, incident.last_seen) == (early, late)

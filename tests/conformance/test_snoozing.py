"""A snooze holds back what would be told, ends by its timer or by what gets worse, on every database."""

from dataclasses import replace

import pytest

from llm_incident_manager.domain import filters, time
from llm_incident_manager.domain.errors import IllegalTransition, InvalidFields, Merged, StaleEtag
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import HOUR, MINUTE, SECOND, Instant
from llm_incident_manager.domain.timeline import TimelineEntry, TimelineKind
from llm_incident_manager.pipeline.timers import Timers
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.ports.timers import Overdue
from llm_incident_manager.usecases.applying import SnoozeUntil, Wish
from llm_incident_manager.usecases.incidents import Target
from tests.support.builders import TENANT
from tests.support.desk import CALLER, Desk, desk_on

NIGHT = 8 * HOUR
NO_TIMER = Overdue(0, None)


@pytest.fixture
def desk(store: Store) -> Desk:
    return desk_on(store)


async def snoozed(desk: Desk, key: str = "a", **fields: str) -> Incident:
    """An incident that somebody was told of and has snoozed until the morning."""
    incident = await desk.opened(key, **fields)
    await desk.world.settle()
    return await desk.snooze(incident, Instant(desk.world.clock.now() + NIGHT))


def reasons(desk: Desk) -> list[str]:
    """Why the channel was told something, in order."""
    return [sent.reason for sent in desk.world.channel.sent]


async def entries(desk: Desk, incident: Incident) -> list[TimelineEntry]:
    """What the timeline says of the snooze."""
    return list(await desk.store.timeline(TENANT, incident.id, "", 100, TimelineKind.SNOOZED))


async def timers(desk: Desk) -> Overdue:
    """All timers there are."""
    return await desk.store.overdue_timers(Instant(desk.world.clock.now() + 1_000 * HOUR))


async def test_nobody_is_told_until_the_morning_and_then_once_with_a_reason_of_its_own(desk: Desk) -> None:
    incident = await snoozed(desk)
    desk.world.clock.forward(HOUR)
    await desk.event("a")
    await desk.move(incident, Verb.ACKNOWLEDGE)
    await desk.world.settle()
    assert ((await desk.now(incident.id)).recurred, reasons(desk)) == (True, ["opened"])
    routed = await desk.store.timeline(TENANT, incident.id, "", 100, TimelineKind.ROUTED)
    held = [entry.details["asked"] for entry in routed if entry.details.get("reason") == "snoozed"]
    assert held == ["recurred", "acknowledged"]

    desk.world.clock.forward(NIGHT - HOUR - SECOND)
    await desk.world.settle()
    assert reasons(desk) == ["opened"]
    desk.world.clock.forward(SECOND)
    await desk.world.settle()
    assert reasons(desk) == ["opened", "snooze_ended"]
    assert (await desk.now(incident.id)).snoozed_until is None
    assert [entry.details["verb"] for entry in await entries(desk, incident)] == ["snooze", "wake"]
    desk.world.clock.forward(100 * HOUR)
    await desk.world.settle()
    assert (reasons(desk), await timers(desk)) == (["opened", "snooze_ended"], NO_TIMER)


async def test_after_an_outage_it_wakes_at_once_and_says_how_late(desk: Desk) -> None:
    incident = await snoozed(desk)
    desk.world.clock.forward(NIGHT + 90 * MINUTE)
    await desk.world.settle()
    *_, woken = await entries(desk, incident)
    assert (woken.details["late_by"], woken.details["reason"], woken.actor) == ("5400.000s", "time", "timer")
    assert reasons(desk) == ["opened", "snooze_ended"]


async def test_on_time_it_says_nothing_of_being_late(desk: Desk) -> None:
    incident = await snoozed(desk)
    desk.world.clock.forward(NIGHT + SECOND)
    await desk.world.settle()
    assert "late_by" not in (await entries(desk, incident))[-1].details


async def test_snoozing_again_replaces_the_moment(desk: Desk) -> None:
    incident = await snoozed(desk)
    until = Instant(desk.world.clock.now() + HOUR)
    again = await desk.snooze(incident, until)
    assert (again.snoozed_until, (await timers(desk)).count) == (until, 1)
    assert (await entries(desk, incident))[-1].details["from"] == time.rfc3339(incident.snoozed_until or until)
    assert await desk.snooze(again, until) == again, "the same again is no change"
    desk.world.clock.forward(HOUR)
    await desk.world.settle()
    desk.world.clock.forward(NIGHT)
    await desk.world.settle()
    assert reasons(desk) == ["opened", "snooze_ended"]


async def ends_early(desk: Desk, incident: Incident, why: str) -> None:
    """What holds after a change that ends a snooze before its time."""
    assert (await desk.now(incident.id)).snoozed_until is None
    assert (await entries(desk, incident))[-1].details["reason"] == why
    assert await timers(desk) == NO_TIMER
    desk.world.clock.forward(2 * NIGHT)
    await desk.world.settle()
    assert "snooze_ended" not in reasons(desk)


async def test_a_more_severe_event_ends_it_and_is_told_at_once(desk: Desk) -> None:
    incident = await snoozed(desk, severity="medium")
    await desk.event("a", severity="critical")
    await desk.world.settle()
    assert reasons(desk) == ["opened", "severity_raised"]
    await ends_early(desk, incident, "severity_raised")


async def test_a_severity_that_somebody_raises_ends_it_and_one_that_is_lowered_does_not(desk: Desk) -> None:
    incident = await snoozed(desk, severity="medium")

    async def edit(severity: Severity) -> Incident:
        return await desk.do(
            lambda tx, changes: desk.incidents.update(
                tx, changes, CALLER, Target(incident.id), "ann", {"severity": severity}
            )
        )

    assert (await edit(Severity.P3)).snoozed_until == incident.snoozed_until
    assert (await edit(Severity.P0)).snoozed_until is None
    await desk.world.settle()
    assert reasons(desk) == ["opened", "severity_raised"]
    await ends_early(desk, incident, "severity_raised")


async def test_its_end_by_a_person_or_by_its_source_ends_it(desk: Desk) -> None:
    by_person, by_source = await snoozed(desk, "a"), await snoozed(desk, "b")
    await desk.move(by_person, Verb.RESOLVE)
    await desk.event("b", Action.RESOLVE)
    await desk.world.settle()
    assert reasons(desk) == ["opened", "opened", "resolved", "resolved"]
    await ends_early(desk, by_person, "resolved")
    await ends_early(desk, by_source, "resolved")


async def test_who_asks_for_a_higher_tier_does_not_wait(desk: Desk) -> None:
    incident = await snoozed(desk)
    await desk.move(incident, Verb.ESCALATE)
    await desk.world.settle()
    assert reasons(desk) == ["opened", "escalated"]
    await ends_early(desk, incident, "escalated")


async def test_work_goes_on_while_it_sleeps(desk: Desk) -> None:
    incident = await snoozed(desk)
    await desk.move(incident, Verb.ACKNOWLEDGE)
    working = await desk.move(incident, Verb.START_WORK)
    assert working.snoozed_until == incident.snoozed_until


async def test_a_merge_ends_the_snooze_of_what_ends_and_leaves_the_targets(desk: Desk) -> None:
    target, source = await snoozed(desk, "a"), await snoozed(desk, "b")
    merged = await desk.merge(target, source)
    assert merged.snoozed_until == target.snoozed_until
    assert (await entries(desk, source))[-1].details["reason"] == "merged"
    assert ((await desk.now(source.id)).snoozed_until, (await timers(desk)).count) == (None, 1)
    back, _ = await desk.unmerge(source)
    assert back.snoozed_until is None


async def test_a_merge_that_raises_the_target_wakes_it(desk: Desk) -> None:
    target, source = await snoozed(desk, "a", severity="low"), await desk.opened("b", severity="critical")
    merged = await desk.merge(target, source)
    assert (merged.snoozed_until, await timers(desk)) == (None, NO_TIMER)


async def test_what_is_split_off_is_awake(desk: Desk) -> None:
    incident = await snoozed(desk)
    more = await desk.event("a")
    outcome = await desk.split(await desk.now(incident.id), [more.event_id or ""])
    assert outcome.new.snoozed_until is None
    assert outcome.rest.snoozed_until == incident.snoozed_until


async def test_only_an_open_incident_can_be_snoozed_and_only_until_later(desk: Desk) -> None:
    incident, other = await desk.opened("a"), await desk.opened("b")
    now = desk.world.clock.now()
    with pytest.raises(InvalidFields, match="has passed"):
        await desk.snooze(incident, now)
    with pytest.raises(StaleEtag):
        await desk.snooze(incident, Instant(now + HOUR), etag="99")
    await desk.merge(incident, other)
    with pytest.raises(Merged, match=incident.id):
        await desk.snooze(other, Instant(now + HOUR))
    await desk.move(incident, Verb.RESOLVE)
    with pytest.raises(IllegalTransition, match=incident.number):
        await desk.snooze(incident, Instant(now + HOUR))
    assert await timers(desk) == NO_TIMER


async def test_a_reopened_incident_is_awake(desk: Desk) -> None:
    incident = await snoozed(desk)
    await desk.move(incident, Verb.RESOLVE)
    assert (await desk.move(incident, Verb.REOPEN)).snoozed_until is None


async def test_who_lost_the_lease_wakes_nobody_a_second_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = await snoozed(desk)
    desk.world.clock.forward(NIGHT)
    late = Timers(desk.world.tools, "late")
    act = late._act

    async def overtaken(rows: object) -> None:
        desk.world.clock.forward(61 * SECOND)
        assert await Timers(desk.world.tools, "another").once() == 1
        await act(rows)  # type: ignore[arg-type]  # its own rows

    monkeypatch.setattr(late, "_act", overtaken)
    assert await late.once() == 1
    await desk.world.settle()
    assert reasons(desk) == ["opened", "snooze_ended"]
    assert [entry.details["verb"] for entry in await entries(desk, incident)] == ["snooze", "wake"]


async def test_one_timer_that_fails_is_tried_again_and_holds_back_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = await snoozed(desk, "a"), await snoozed(desk, "b")
    desk.world.clock.forward(NIGHT)
    timers_ = Timers(desk.world.tools, "test")
    act, fails = timers_._act, True

    async def broken(rows: list[object]) -> None:
        if fails and any(row.incident_id == bad.id for row in rows):  # type: ignore[attr-defined]  # timers
            raise OverflowError
        await act(rows)  # type: ignore[arg-type]  # as above

    monkeypatch.setattr(timers_, "_act", broken)
    assert await timers_.once() == 2
    assert ((await desk.now(good.id)).snoozed_until, (await desk.now(bad.id)).snoozed_until) == (
        None,
        bad.snoozed_until,
    )
    assert await timers_.once() == 0, "it waits a second"
    fails = False
    desk.world.clock.forward(SECOND)
    assert await timers_.once() == 1
    assert replace(await desk.now(bad.id)).snoozed_until is None


async def test_many_are_snoozed_each_by_its_own_decision(desk: Desk) -> None:
    open_, over = await desk.opened("a"), await desk.opened("b")
    already = await snoozed(desk, "c")
    await desk.move(over, Verb.RESOLVE)
    until = already.snoozed_until
    assert until is not None
    wish = Wish(filters.parse("event_count >= 1"), SnoozeUntil("ann", until))
    looked = await desk.applying.preview(CALLER, wish)
    done = await desk.applying.apply(CALLER, wish, "", b"")
    for tally in (looked, done):
        assert (tally.matched, tally.changed, tally.unchanged, tally.failed) == (3, 1, 1, 1)
        assert [(each.number, each.reason) for each in tally.failures] == [(over.number, "ILLEGAL_TRANSITION")]
    assert ((await desk.now(open_.id)).snoozed_until, (await timers(desk)).count) == (until, 2)

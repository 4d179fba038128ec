"""Promises of a severity on every database: each breach is recorded and told once, whatever happens meanwhile."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from llm_incident_manager.domain import filters
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.lifecycle import Verb
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import TARGETS
from llm_incident_manager.domain.time import DAY, HOUR, MINUTE, SECOND, Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import IncidentQuery, KeyTaken, Store
from llm_incident_manager.usecases.incidents import Target
from tests.support.backends import Backend
from tests.support.builders import TENANT, make_incident
from tests.support.desk import CALLER, Desk, desk_on
from tests.support.steps import indexed, later, opened, write


@pytest.fixture
async def desk(store: Store) -> Desk:
    return desk_on(store, TARGETS)


async def after(desk: Desk, micros: int) -> None:
    """So much later, with everything done that is due."""
    desk.world.clock.forward(micros)
    await desk.world.settle()


async def routed(desk: Desk, key: str = "a", severity: str = "P1") -> Incident:
    """An incident that somebody was told of."""
    incident = await desk.opened(key, severity=severity)
    await desk.world.settle()
    return incident


async def breaches(desk: Desk, incident: Incident) -> Sequence[str]:
    """The promises whose breach the timeline tells, in order."""
    entries = await desk.store.timeline(TENANT, incident.id, "", 1_000, TimelineKind.SLA_BREACHED)
    return [entry.details["promise"] for entry in entries]


def reasons(desk: Desk) -> list[str]:
    return [sent.reason for sent in desk.world.channel.sent]


async def timers(desk: Desk) -> int:
    """All timers there are."""
    return (await desk.store.overdue_timers(Instant(desk.world.clock.now() + 1_000 * DAY))).count


async def test_a_breach_is_recorded_and_told_on_time_and_each_promise_once(desk: Desk) -> None:
    incident = await routed(desk)
    await after(desk, 15 * MINUTE)
    assert reasons(desk) == ["opened"], "the deadline itself is kept"
    await after(desk, SECOND)
    assert (reasons(desk), await breaches(desk, incident)) == (["opened", "sla_breached"], ["acknowledge"])
    noted = await desk.now(incident.id)
    assert (noted.acknowledge_breached_at, noted.resolve_breached_at) == (desk.world.clock.now(), None)
    assert noted.revision == incident.revision + 1
    await after(desk, 45 * MINUTE)
    assert await breaches(desk, incident) == ["acknowledge", "resolve"]
    for _ in range(3):
        await after(desk, 30 * DAY)
    assert reasons(desk) == ["opened", "sla_breached", "sla_breached"]
    assert (await breaches(desk, incident), await timers(desk)) == (["acknowledge", "resolve"], 0)


async def test_the_timeline_the_audit_and_the_metrics_tell_it(desk: Desk, backend: Backend) -> None:
    incident = await routed(desk)
    await after(desk, 15 * MINUTE + SECOND)
    (entry,) = await desk.store.timeline(TENANT, incident.id, "", 10, TimelineKind.SLA_BREACHED)
    assert (entry.actor, entry.details["severity"], "late_by" in entry.details) == ("timer", "P1", False)
    assert entry.text.startswith("Not acknowledged by 20")
    told = await backend.query(desk.store, "SELECT count(*) FROM audit WHERE action = 'incident.sla_breached'")
    assert told == [(1,)]
    page = desk.world.tools.metrics.page().body.decode()
    assert 'incident_manager_sla_acknowledgment_breached_total{severity="P1"} 1.0' in page
    assert "incident_manager_sla_resolution_breached_total{" not in page


async def test_after_an_outage_both_are_told_at_once_with_how_late(desk: Desk) -> None:
    incident = await routed(desk)
    await after(desk, 3 * HOUR)
    entries = await desk.store.timeline(TENANT, incident.id, "", 10, TimelineKind.SLA_BREACHED)
    assert [(e.details["promise"], e.details["late_by"]) for e in entries] == [
        ("acknowledge", "9900.000s"), ("resolve", "7200.000s")
    ]  # fmt: skip
    assert (reasons(desk), await timers(desk)) == (["opened", "sla_breached"], 0)


async def test_who_acknowledges_and_resolves_in_time_breaks_nothing(desk: Desk) -> None:
    incident = await routed(desk)
    await desk.move(incident, Verb.ACKNOWLEDGE)
    await after(desk, 16 * MINUTE)
    await desk.move(incident, Verb.RESOLVE)
    await after(desk, 2 * HOUR)
    assert (await breaches(desk, incident), await timers(desk)) == ([], 0)
    page = desk.world.tools.metrics.page().body.decode()
    assert 'incident_manager_timers_lapsed_total{kind="sla",reason="not_yet"} 1.0' in page
    assert 'incident_manager_timers_lapsed_total{kind="sla",reason="incident_over"} 1.0' in page


async def test_an_event_that_resolves_counts_like_a_person(desk: Desk) -> None:
    incident = await routed(desk)
    await desk.event("a", Action.RESOLVE)
    await after(desk, 2 * HOUR)
    assert await breaches(desk, incident) == []


async def test_what_was_acknowledged_too_late_while_nothing_ran_is_a_breach_all_the_same(desk: Desk) -> None:
    incident = await routed(desk)
    desk.world.clock.forward(20 * MINUTE)
    await desk.move(incident, Verb.ACKNOWLEDGE)
    await desk.world.settle()
    assert await breaches(desk, incident) == ["acknowledge"]


async def test_of_what_ended_too_late_while_nothing_ran_nobody_is_told(desk: Desk) -> None:
    incident = await routed(desk)
    desk.world.clock.forward(2 * HOUR)
    await desk.move(incident, Verb.RESOLVE)
    await desk.world.settle()
    assert await breaches(desk, incident) == ["acknowledge", "resolve"]
    assert reasons(desk) == ["opened", "resolved"]


async def test_a_higher_severity_brings_the_deadline_forward(desk: Desk) -> None:
    incident = await routed(desk, severity="P3")
    await after(desk, 4 * MINUTE)
    await desk.event("a", severity="P0")
    await after(desk, SECOND)
    assert await breaches(desk, incident) == []
    await after(desk, MINUTE + SECOND)
    assert await breaches(desk, incident) == ["acknowledge"]
    assert await timers(desk) == 1


async def test_a_higher_severity_whose_deadline_has_passed_breaks_the_promise_at_once(desk: Desk) -> None:
    incident = await routed(desk, severity="P3")
    await after(desk, HOUR)
    await desk.event("a", severity="P0")
    await desk.world.settle()
    entries = await desk.store.timeline(TENANT, incident.id, "", 10, TimelineKind.SLA_BREACHED)
    assert ["late_by" in entry.details for entry in entries] == [False, False], "nobody could have known it before"


async def test_a_lower_severity_gives_more_time(desk: Desk) -> None:
    incident = await routed(desk)

    async def edit(severity: Severity) -> Incident:
        return await desk.do(
            lambda tx, changes: desk.incidents.update(
                tx, changes, CALLER, Target(incident.id), "ann", {"severity": severity}
            )
        )

    await edit(Severity.P2)
    await after(desk, 30 * MINUTE)
    assert await breaches(desk, incident) == []
    await after(desk, 31 * MINUTE)
    assert await breaches(desk, incident) == ["acknowledge"]


async def test_of_a_snoozed_incident_a_breach_is_recorded_and_nobody_told(desk: Desk) -> None:
    incident = await routed(desk)
    await desk.snooze(incident, Instant(desk.world.clock.now() + 8 * HOUR))
    await after(desk, 30 * MINUTE)
    assert (await breaches(desk, incident), reasons(desk)) == (["acknowledge"], ["opened"])
    routing = await desk.store.timeline(TENANT, incident.id, "", 100, TimelineKind.ROUTED)
    assert routing[-1].details["asked"] == "sla_breached"


async def test_reopening_starts_no_new_time(desk: Desk) -> None:
    incident = await routed(desk)
    await desk.move(incident, Verb.ACKNOWLEDGE)
    await desk.move(incident, Verb.RESOLVE)
    await after(desk, 2 * HOUR)
    assert await timers(desk) == 0
    await desk.move(incident, Verb.REOPEN)
    await desk.world.settle()
    (entry,) = await desk.store.timeline(TENANT, incident.id, "", 10, TimelineKind.SLA_BREACHED)
    assert (entry.details["promise"], "late_by" in entry.details) == ("resolve", False)
    await desk.move(incident, Verb.RESOLVE)
    await desk.move(incident, Verb.REOPEN)
    await after(desk, DAY)
    assert await breaches(desk, incident) == ["resolve"]


async def test_what_was_merged_breaks_nothing_until_it_is_back(desk: Desk) -> None:
    source, target = await routed(desk, "a"), await routed(desk, "b", "P3")
    await desk.merge(target, source)
    await after(desk, 2 * HOUR)
    assert await breaches(desk, source) == []
    assert await breaches(desk, target) == ["acknowledge", "resolve"], "it is P1 since the merge"
    await desk.unmerge(await desk.now(source.id))
    await desk.world.settle()
    assert await breaches(desk, source) == ["acknowledge", "resolve"]


async def test_a_part_that_was_split_off_has_promises_of_its_own(desk: Desk) -> None:
    whole = await routed(desk)
    moved = await desk.event("a", severity="P1")
    await after(desk, 20 * MINUTE)
    assert moved.event_id is not None
    outcome = await desk.split(await desk.now(whole.id), [moved.event_id])
    await after(desk, 10 * MINUTE)
    assert (await breaches(desk, whole), await breaches(desk, outcome.new)) == (["acknowledge"], [])
    await after(desk, 10 * MINUTE)
    assert await breaches(desk, outcome.new) == ["acknowledge"]


async def test_a_process_that_dies_with_the_timer_leaves_the_breach_to_the_next(desk: Desk, store: Store) -> None:
    incident = await routed(desk)
    desk.world.clock.forward(16 * MINUTE)
    now = desk.world.clock.now()
    (_,) = await store.claim_timers("dies", now, Instant(now + MINUTE), 10)
    await after(desk, 59 * SECOND)
    assert await breaches(desk, incident) == []
    await after(desk, SECOND)
    await after(desk, 2 * MINUTE)
    assert (await breaches(desk, incident), reasons(desk)) == (["acknowledge"], ["opened", "sla_breached"])


async def test_breaches_can_be_filtered_by(desk: Desk, store: Store) -> None:
    broken = await routed(desk, "a")
    kept = await routed(desk, "b", "P3")
    await after(desk, 16 * MINUTE)
    await indexed(store)

    async def ids(text: str) -> list[str]:
        return [i.id for i in await store.incidents(IncidentQuery(TENANT, filters.parse(text)))]

    assert await ids("acknowledge_breach_time:*") == [broken.id]
    assert await ids("NOT acknowledge_breach_time:*") == [kept.id]
    assert await ids("resolve_breach_time:*") == []


async def test_a_timer_of_a_kind_that_a_newer_program_has_set_is_left_to_it(desk: Desk, store: Store) -> None:
    incident = await routed(desk)
    (row,) = await store.claim_timers("me", Instant(desk.world.clock.now() + HOUR), desk.world.clock.now(), 10)
    async with store.transaction() as tx:
        newer = row._replace(key="newer", kind="newer", due_at=desk.world.clock.now())  # type: ignore[arg-type]  # as a newer program would
        await tx.write(Changes(timers=[newer]))
    await after(desk, 16 * MINUTE)
    assert (await breaches(desk, incident), await timers(desk)) == (["acknowledge"], 2)


async def test_of_a_broken_promise_nothing_is_written_but_its_moments(store: Store) -> None:
    incident, at = await opened(store), later(60)
    broken = incident.changed(at, acknowledge_breached_at=at, resolve_breached_at=later(59))
    await write(store, Changes(breached=[replace(broken, title="is not looked at")]))
    assert await store.incident(TENANT, incident.id) == broken
    with pytest.raises(KeyTaken):
        await write(store, Changes(breached=[make_incident()]))

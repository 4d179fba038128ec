"""What ExplainEvent tells of an event after its commit: its routing and its notifications, and only its own."""

import pytest

from llm_incident_manager.domain.disposition import EventResult
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.ports.channel import Receipt
from llm_incident_manager.usecases import aftermath
from llm_incident_manager.usecases.aftermath import Aftermath
from tests.support.builders import TENANT, make_entry, make_event, make_event_row, make_incident, make_opening
from tests.support.desk import desk_on
from tests.support.steps import write
from tests.support.world import World, a_world

REFUSED = Receipt(ok=False, retryable=False, detail="410 Gone")
BUSY = Receipt(ok=False, retryable=True, detail="503 Busy")


async def sent(world: World, *, action: Action = Action.TRIGGER, severity: str = "P2") -> EventResult:
    """The result of one event of always the same problem, a second after the one before."""
    world.clock.forward(SECOND)
    (result,) = await world.submit(
        make_event(dedup_key="k", action=action, severity=severity, event_time=world.clock.now())
    )
    return result


async def followed(world: World, result: EventResult) -> Aftermath:
    assert result.event_id is not None
    assert result.incident_id is not None
    row = (await world.store.event(TENANT, result.event_id)).row
    incident = await world.store.incident(TENANT, result.incident_id)
    return await aftermath.of(world.store, row, incident, await world.store.deliveries(TENANT, incident.id))


async def states(world: World, result: EventResult) -> list[tuple[str, str]]:
    return [(stage.name, stage.state) for stage in (await followed(world, result)).stages]


async def reasons(world: World, result: EventResult) -> list[str]:
    """Why those were told who were told for this event."""
    assert result.incident_id is not None
    caused = (await followed(world, result)).caused
    return [row.reason for row in await world.store.deliveries(TENANT, result.incident_id) if row.id in caused]


async def test_a_new_incident_waits_is_routed_and_told(world: World) -> None:
    result = await sent(world)
    assert await states(world, result) == [("route", "waiting"), ("notify", "waiting")]
    world.clock.forward(SECOND)
    await world.settle()
    route, notify = (await followed(world, result)).stages
    assert (route.state, route.at) == ("done", world.clock.now())
    assert route.explanation == "route default asked to tell recorder: opened"
    assert (notify.state, notify.at) == ("done", world.clock.now())
    assert notify.explanation == "recorder sent after 1 attempt (opened)"
    assert await reasons(world, result) == ["opened"]


async def test_an_event_that_only_counts_needs_nothing(world: World) -> None:
    await sent(world)
    attached = await sent(world)
    await world.settle()
    assert await states(world, attached) == [("route", "not_needed"), ("notify", "not_needed")]
    assert await reasons(world, attached) == []


async def test_each_event_has_the_messages_that_it_caused_and_no_others(world: World) -> None:
    opened, raised, worse = [await sent(world, severity=severity) for severity in ("P3", "P2", "P1")]
    resolved = await sent(world, action=Action.RESOLVE)
    assert await states(world, worse) == [("route", "waiting"), ("notify", "waiting")]
    await world.settle()
    assert await reasons(world, opened) == ["opened"]
    assert await reasons(world, resolved) == ["resolved"]
    mine, theirs = (await followed(world, raised)).caused, (await followed(world, worse)).caused
    assert (len(mine), len(theirs), mine & theirs) == (1, 1, frozenset())
    assert await reasons(world, raised) == await reasons(world, worse) == ["severity_raised"]


async def test_of_several_in_one_batch_each_names_the_one_message(world: World) -> None:
    first, second = await world.submit(
        make_event(dedup_key="k", severity="P3"), make_event(dedup_key="k", severity="P1")
    )
    await world.settle()
    assert await reasons(world, first) == ["opened"]
    assert await reasons(world, second) == ["severity_raised"]


async def test_where_nobody_is_told_the_routing_says_why() -> None:
    async with a_world(min_severity=Severity.P0) as world:
        result = await sent(world)
        await world.settle()
        route, notify = (await followed(world, result)).stages
        assert (route.state, notify.state) == ("done", "not_needed")
        assert route.explanation.startswith("Route default: nobody is told (below_min_severity)")
        raised = await sent(world, severity="P1")
        await world.settle()
        route, notify = (await followed(world, raised)).stages
        assert (route.state, notify.state) == ("unknown", "unknown")
        assert route.explanation == ("route default has sent nothing for it: it told nobody, or has not come to it yet")


@pytest.mark.parametrize(
    ("answer", "state", "text"),
    [
        (BUSY, "waiting", "recorder pending after 1 attempt (opened): 503 Busy"),
        (REFUSED, "failed", "recorder dead after 1 attempt (opened): 410 Gone"),
    ],
    ids=["tried again", "given up"],
)
async def test_a_failing_channel_is_told_with_attempts_and_error(
    world: World, answer: Receipt, state: str, text: str
) -> None:
    world.channel.answers = [answer]
    result = await sent(world)
    await world.settle()
    _, notify = (await followed(world, result)).stages
    assert (notify.state, notify.explanation) == (state, text)


async def test_an_event_that_came_by_a_split_does_not_pass_its_new_incident_off_as_its_own(world: World) -> None:
    desk = desk_on(world.store)
    whole = await desk.opened("a")
    await desk.event("a")
    raised = await desk.event("a", severity="P0")
    assert raised.event_id is not None
    await desk.split(whole, [raised.event_id])
    moved = (await world.store.event(TENANT, raised.event_id)).row
    assert moved.incident_id not in {None, whole.id}
    found = await followed(world, raised._replace(incident_id=moved.incident_id))
    assert {stage.state for stage in found.stages} == {"unknown"}
    assert "another incident had it then" in found.stages[0].explanation


async def test_what_an_earlier_version_wrote_is_not_guessed_at(world: World) -> None:
    incident = make_incident()
    changes = make_opening(incident)
    changes.timeline = [make_entry(incident, details={"event": changes.events[0].id})]
    await write(world.store, changes)
    found = await aftermath.of(world.store, changes.events[0], incident, ())
    assert {stage.state for stage in found.stages} == {"unknown"}
    assert "earlier version" in found.stages[0].explanation


@pytest.mark.parametrize(("incident", "state"), [(None, "not_needed"), (make_incident(), "unknown")])
def test_without_its_incident_nothing_is_known_or_needed(incident: object, state: str) -> None:
    row = make_event_row(incident)  # type: ignore[arg-type]  # an incident or None
    assert {stage.state for stage in aftermath.without_incident(row).stages} == {state}

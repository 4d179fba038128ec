"""Services are asked about their incidents after the commit, their answers are stored once, and one that is gone is
named on the incident and left alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from llm_incident_manager.domain.analysis import Analysis, AnalysisState, Question, Service
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import MINUTE, SECOND
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.pipeline.consulting import Consulting
from llm_incident_manager.pipeline.effects import consult, notify
from llm_incident_manager.pipeline.outbox import Pump
from llm_incident_manager.pipeline.stages import route
from llm_incident_manager.ports.consultant import Finding, Inquiry, Refusal
from tests.support.builders import TENANT, make_event
from tests.support.world import World, world_on

GONE = Refusal("UNAVAILABLE: connection refused", retryable=True, well=False)
ODD = Refusal("its answer breaks the contract: confidence must be at most 1", well=False)
SURE = Finding(0.9, None, "prompt injection", b"\x18\x01")


@dataclass
class Shield:
    """Answers what it is told to."""

    answers: dict[Question, list[Finding | Refusal]] = field(default_factory=dict)
    asked: list[Inquiry] = field(default_factory=list)
    service: Service = Service.SHIELD

    async def ask(self, inquiry: Inquiry) -> Finding | Refusal:
        self.asked.append(inquiry)
        told = self.answers.get(inquiry.question)
        return told.pop(0) if told else Finding(0.5, None, "nothing", b"")

    async def close(self) -> None:
        """Has nothing to give back."""


@dataclass
class Place:
    """A world with a Shield beside it."""

    world: World
    shield: Shield

    async def opened(self, key: str = "k", *, settle: bool = True, **fields: object) -> Incident:
        given = {"source": "llm-shield", "kind": "prompt_injection.direct", "dedup_key": key, **fields}
        (result,) = await self.world.submit(make_event(event_time=self.world.clock.now(), **given))
        assert result.incident_id is not None
        if settle:
            await self.world.settle()
        return await self.world.store.incident(TENANT, result.incident_id)

    async def analyses(self, incident: Incident) -> dict[Question, Analysis]:
        return {each.question: each for each in await self.world.store.analyses(TENANT, incident.id, "", 100)}

    async def told(self, incident: Incident) -> Sequence[str]:
        found = await self.world.store.timeline(TENANT, incident.id, "", 100, TimelineKind.ANALYSIS)
        return [entry.text for entry in found]


def with_shield(world: World, *, apply: bool = False) -> Place:
    shield = Shield()
    asked = Consulting({Service.SHIELD: shield}, {"llm-shield": Service.SHIELD}, apply=apply)
    tools = replace(world.tools, consulting=asked)
    return Place(World(world.store, world.clock, tools, world.channel), shield)


@pytest.fixture
def place(world: World) -> Place:
    return with_shield(world)


async def test_an_incident_of_its_own_is_asked_about_and_the_answers_are_on_it(place: Place) -> None:
    place.shield.answers = {Question.THREAT: [SURE]}
    incident = await place.opened()
    found = await place.analyses(incident)
    assert {each.question: each.state for each in found.values()} == {
        Question.THREAT: AnalysisState.ANSWERED,
        Question.RISK: AnalysisState.ANSWERED,
        Question.MITIGATION: AnalysisState.ANSWERED,  # the threat was sure enough
    }
    assert (found[Question.THREAT].findings, found[Question.THREAT].confidence) == (b"\x18\x01", 0.9)
    assert found[Question.MITIGATION].requested_by == "shield"
    assert len(await place.told(incident)) == 3
    by_question = {each.question: each for each in place.shield.asked}
    assert by_question[Question.MITIGATION].threat == b"\x18\x01"
    assert by_question[Question.THREAT].event is not None
    assert by_question[Question.THREAT].analysis_id == found[Question.THREAT].id


async def test_nobody_is_asked_about_the_incidents_of_others(place: Place) -> None:
    incident = await place.opened(source="llm-edge-agent")
    assert not place.shield.asked
    assert not await place.analyses(incident)


async def test_people_are_told_before_anybody_is_asked(place: Place) -> None:
    incident = await place.opened(settle=False)
    world = place.world
    await Pump(route, world.tools, "test", lambda: False).once()
    assert (await place.analyses(incident))[Question.THREAT].state is AnalysisState.PENDING
    await Pump(notify, world.tools, "test", lambda: False).once()
    assert len(world.channel.sent) == 1
    assert not place.shield.asked


async def test_a_service_that_is_gone_is_named_on_the_incident_once_and_asked_again(place: Place) -> None:
    place.shield.answers = {Question.THREAT: [GONE, GONE]}
    incident = await place.opened()
    waiting = (await place.analyses(incident))[Question.THREAT]
    assert (waiting.state, waiting.attempts, waiting.error) == (AnalysisState.PENDING, 1, GONE.detail)
    for _ in range(2):
        place.world.clock.forward(15 * SECOND)
        await place.world.settle()
    answered = (await place.analyses(incident))[Question.THREAT]
    assert (answered.state, answered.attempts, answered.error) == (AnalysisState.ANSWERED, 3, "")
    about = [text for text in await place.told(incident) if "threat" in text]
    assert len(about) == 2, "once that it waits, once that it is answered"
    assert "connection refused" in about[0]


async def test_after_so_many_attempts_it_is_given_up_and_kept_with_its_reason(place: Place) -> None:
    place.shield.answers = {Question.RISK: [GONE] * 5}
    incident = await place.opened()
    for _ in range(4):
        place.world.clock.forward(5 * MINUTE)
        await place.world.settle()
    failed = (await place.analyses(incident))[Question.RISK]
    assert (failed.state, failed.attempts) == (AnalysisState.FAILED, 5)
    assert failed.error == f"5 attempts failed: {GONE.detail}"
    assert await place.world.store.dead_by_topic() == {consult.TOPIC: 1}


async def test_an_answer_that_lies_is_not_asked_for_again(place: Place) -> None:
    place.shield.answers = {Question.RISK: [ODD]}
    incident = await place.opened()
    failed = (await place.analyses(incident))[Question.RISK]
    assert (failed.state, failed.attempts, failed.error) == (AnalysisState.FAILED, 1, ODD.detail)
    assert any("confidence must be at most 1" in text for text in await place.told(incident))


async def test_behind_an_open_breaker_questions_wait_and_use_up_no_attempt(place: Place) -> None:
    place.shield.answers = {Question.THREAT: [GONE] * 9, Question.RISK: [GONE] * 9}
    for number in range(3):
        await place.opened(f"k{number}")
    asked = len(place.shield.asked)
    assert asked == 5, "then it is known to be gone"
    late = await place.opened("late")
    assert len(place.shield.asked) == asked
    held = await place.analyses(late)
    assert {each.attempts for each in held.values()} == {0}
    assert all("not asked" in each.error and "connection refused" in each.error for each in held.values())
    assert place.world.tools.breakers.away.keys() == {"service shield"}
    place.shield.answers = {}
    for _ in range(6):
        place.world.clock.forward(30 * SECOND)
        await place.world.settle()
    assert {each.state for each in (await place.analyses(late)).values()} == {AnalysisState.ANSWERED}
    assert not place.world.tools.breakers.away


async def test_who_was_taken_for_dead_meanwhile_stores_nothing(place: Place) -> None:
    incident = await place.opened(settle=False)
    tools = place.world.tools
    await Pump(route, tools, "test", lambda: False).once()
    now = place.world.clock.now()
    rows = await place.world.store.claim_work(consult.TOPIC, "slow", now, now, 10)
    place.world.clock.forward(SECOND)
    await place.world.settle()  # somebody else has claimed, asked and stored
    stored = await place.analyses(incident)
    await consult.run(rows, tools)
    assert await place.analyses(incident) == stored
    assert len(await place.told(incident)) == 2


@pytest.mark.parametrize(
    ("apply", "recommended", "severity"),
    [
        # Applied, a more severe recommendation raises the incident and tells people.
        (True, Severity.P0, Severity.P0),
        # A less severe one never lowers it.
        (True, Severity.P4, Severity.P1),
        # Otherwise a person decides, and the timeline says what was recommended.
        (False, Severity.P0, Severity.P1),
    ],
)
async def test_a_recommended_severity(world: World, apply: bool, recommended: Severity, severity: Severity) -> None:
    place = with_shield(world, apply=apply)
    place.shield.answers = {Question.RISK: [Finding(0.9, recommended, "", b"")]}
    opened = await place.opened(kind="", severity="P1")
    incident = await place.world.store.incident(TENANT, opened.id)
    assert incident.severity is severity
    risk = (await place.analyses(incident))[Question.RISK]
    assert (risk.recommended, risk.applied) == (recommended, severity is Severity.P0)
    reasons = [sent.reason for sent in world.channel.sent]
    assert reasons == (["opened", "severity_raised"] if risk.applied else ["opened"])
    if not risk.applied:
        assert any(f"recommends {recommended.name}" in text for text in await place.told(incident))


async def test_a_service_that_is_not_configured_any_more_fails_with_the_remedy(place: Place, world: World) -> None:
    incident = await place.opened(settle=False)
    await Pump(route, place.world.tools, "test", lambda: False).once()
    without = world_on(world.store)
    await without.settle()
    failed = (await place.analyses(incident))[Question.THREAT]
    assert failed.state is AnalysisState.FAILED
    assert "integrations.shield.target" in failed.error

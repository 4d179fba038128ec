"""What services were asked about incidents, as it is stored on every database."""

from llm_incident_manager.domain.analysis import Analysis, AnalysisState, Question
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.ports import analyses
from llm_incident_manager.ports.changes import CONSULT, Changes
from llm_incident_manager.ports.stores import Store
from tests.support.builders import NOW, TENANT, make_analysis, make_incident, make_opening
from tests.support.steps import later, write
from tests.support.world import world_on

ODD = "tab\t line\n 'quote' \"double\" Ünïcode 🔥"


async def stored(store: Store, incident: Incident, after: str = "", limit: int = 10) -> list[Analysis]:
    return list(await store.analyses(TENANT, incident.id, after, limit))


async def test_they_are_read_as_they_were_written_oldest_first_and_page_by_page(store: Store) -> None:
    incident = make_incident()
    await write(store, make_opening(incident))
    made = [make_analysis(incident, question=each, requested_by=ODD) for each in Question]
    await write(store, Changes(analyses=made[::-1]))
    assert await stored(store, incident) == made
    assert await stored(store, incident, made[1].id, 2) == made[2:4]
    async with store.transaction() as tx:
        assert list(await tx.analyses(TENANT, incident.id, "", 1)) == made[:1]


async def test_nobody_reads_those_of_another_tenant(store: Store) -> None:
    incident = make_incident()
    await write(store, Changes(analyses=[make_analysis(incident)]))
    assert not await store.analyses(TenantId("other"), incident.id, "", 10)


async def test_one_comes_further_until_it_is_answered_and_then_stays(store: Store) -> None:
    incident = make_incident()
    pending = make_analysis(incident)
    await write(store, Changes(analyses=[pending]))
    failed = pending._replace(state=AnalysisState.FAILED, attempts=5, error=ODD)
    await write(store, Changes(analyses=[failed]))
    assert await stored(store, incident) == [failed]
    answered = failed._replace(
        state=AnalysisState.ANSWERED,
        error="",
        confidence=0.125,
        recommended=Severity.P0,
        applied=True,
        findings=bytes(range(256)),
    )
    await write(store, Changes(analyses=[answered]))
    await write(store, Changes(analyses=[answered._replace(findings=b"again")]))
    assert await stored(store, incident) == [answered]


async def test_a_question_and_its_work_say_the_same(store: Store) -> None:
    incident, changes = make_incident(), Changes()
    asked = analyses.ask(changes, world_on(store).tools.ids, incident, Question.RISK, ODD, NOW)
    await write(store, changes)
    [row] = await store.claim_work(CONSULT, "worker", NOW, later(60), 10)
    assert analyses.of(row) == asked == (await stored(store, incident))[0]

"""Asks the services beside the manager about incidents, records what they answer, and asks again what may yet be
answered. What they say is stored once, with the incident's timeline and the audit, however often they were asked."""

import asyncio
from collections.abc import Callable, Sequence

from llm_incident_manager.domain.analysis import Analysis, AnalysisState, Question
from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import EventId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.engines.breaker import Refuse
from llm_incident_manager.pipeline import findings, reading
from llm_incident_manager.pipeline.findings import Outcome
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports import analyses
from llm_incident_manager.ports.changes import CONSULT, Changes, OutboxRow
from llm_incident_manager.ports.consultant import Consultant, Finding, Inquiry, Refusal
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.telemetry import logs, traces

NAME = "consult"
TOPIC = CONSULT
DESTINATION = "service {}"
"""What the breaker of a service is called."""
BEGIN_SECONDS = 12
"""What has not begun by then in a round is handed back unasked, so that no round outlives its lease."""
ASK_SECONDS = 32
"""No question takes longer, whatever is behind it; each service has a deadline of its own below that."""
MOST_READ = 1_000
"""Questions about one incident that are looked through for others that were asked before."""


async def run(rows: Sequence[OutboxRow], tools: Tools) -> None:
    """Asks each row's question once, then writes what became of those that still are ours.

    Raises before anything is asked for a row that cannot be read, or whose incident is gone.
    """
    begin_before, life = Instant(tools.clock.now() + BEGIN_SECONDS * SECOND), tools.life()
    async with tools.store.transaction() as tx:
        rows = await tx.still_leased(rows)
        incidents = await reading.incidents(tx.peek_each, ((row.tenant, row.incident_id) for row in rows))
    work = {row.id: (analyses.of(row), incidents[row.incident_id]) for row in rows}

    def in_time() -> bool:
        return tools.clock.now() < begin_before and life is not None and tools.life() == life

    asking = [_ask_in_time(*work[row.id], row.traceparent, in_time, tools) for row in rows]
    outcomes: dict[str, Outcome] = dict(zip(work, await asyncio.gather(*asking), strict=True))
    changes = Changes()
    async with tools.store.transaction() as tx:
        await _record(tx, changes, rows, outcomes, tools)
        await tx.write(changes)
    tools.handled(TOPIC, changes.outbox_done)
    tools.wake(changes)


async def _record(
    tx: Transaction, changes: Changes, rows: Sequence[OutboxRow], outcomes: dict[str, Outcome], tools: Tools
) -> None:
    ours = await tx.still_leased(rows)
    read = tx.incidents if tools.consulting.apply else tx.peek_each  # what may be changed is locked
    current = await reading.incidents(read, ((row.tenant, row.incident_id) for row in ours))
    book = findings.Book(changes, current, tools.clock.now(), tools)
    for row in ours:
        asked, outcome = analyses.of(row), outcomes[row.id]
        others: frozenset[Question] = frozenset()
        if isinstance(outcome, Finding) and asked.question is Question.THREAT:
            known = await tx.analyses(row.tenant, row.incident_id, "", MOST_READ)
            others = frozenset(each.question for each in known if each.state is not AnalysisState.FAILED)
        book.enter(row, asked, outcome, others)


async def _ask_in_time(
    asked: Analysis, incident: Incident, traceparent: str, in_time: Callable[[], bool], tools: Tools
) -> Outcome:
    """None when its turn came too late, or when this process stood still and somebody else may have asked it."""
    consultant = tools.consulting.consultants.get(asked.question.service)
    if consultant is None:
        return Refusal(f"it is not configured: set integrations.{asked.question.service}.target")
    async with tools.consulting.gates[asked.question.service]:
        if not in_time():
            return None
        with tools.breakers.call(DESTINATION.format(asked.question.service)) as visit:
            if isinstance(visit, Refuse):
                return visit
            outcome = await _ask(consultant, asked, incident, traceparent, tools)
            visit.ok = True if isinstance(outcome, Finding) else outcome.well
            visit.why = "" if isinstance(outcome, Finding) else outcome.detail
            return outcome


async def _ask(
    consultant: Consultant, asked: Analysis, incident: Incident, traceparent: str, tools: Tools
) -> Finding | Refusal:
    inquiry = Inquiry(
        asked.id,
        asked.question,
        incident,
        await _opening_event(incident, tools),
        await _threat(incident, tools) if asked.question is Question.MITIGATION else b"",
        traceparent,
    )
    with traces.child_of(traceparent), traces.span("consult.ask", {"question": asked.question}):
        return await _guarded(consultant, inquiry)


async def _guarded(consultant: Consultant, inquiry: Inquiry) -> Finding | Refusal:
    """A defect here counts as a failed attempt; otherwise all the round's questions would be asked again."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await consultant.ask(inquiry)
    except TimeoutError:
        return Refusal(f"no answer within {ASK_SECONDS} s", retryable=True, well=False)
    except Exception as error:  # noqa: BLE001  # whatever it is: logged, and given up after the last attempt
        logs.get("consult").error("consult.defect", analysis=inquiry.analysis_id, error=repr(error), exc_info=error)
        return Refusal(f"defect: {type(error).__name__}", retryable=True)


async def _opening_event(incident: Incident, tools: Tools) -> Event | None:
    """The event that opened the incident, if one did and its body is still kept."""
    opening = await tools.store.timeline(incident.tenant, incident.id, "", 1, TimelineKind.OPENED)
    name = EventId(opening[0].details.get("event", "")) if opening else EventId("")
    if not name:
        return None
    try:
        body = (await tools.store.event(incident.tenant, name)).body
    except NotFound:
        return None
    return None if body is None else tools.codec.decode_event(body)


async def _threat(incident: Incident, tools: Tools) -> bytes:
    """The last threat that was told of the incident."""
    known = await tools.store.analyses(incident.tenant, incident.id, "", MOST_READ)
    told = [each for each in known if each.question is Question.THREAT and each.state is AnalysisState.ANSWERED]
    return told[-1].findings if told else b""

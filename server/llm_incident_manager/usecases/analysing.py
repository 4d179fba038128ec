"""Asks the services beside the manager about an incident because somebody wants it."""

from collections.abc import Collection, Sequence

from llm_incident_manager.domain.analysis import Analysis, AnalysisState, Question, Service
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.ports import analyses, told
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.ports.told import Happening
from llm_incident_manager.usecases.caller import Caller

MOST = 200
"""Questions about one incident."""


class Analysing:
    """Asks questions; what becomes of them the effect `consult` decides."""

    def __init__(self, clock: Clock, ids: Ids, configured: Collection[Service]) -> None:
        """`configured` are the services that can be asked."""
        self._clock = clock
        self._ids = ids
        self._configured = configured

    async def request(
        self, tx: Transaction, changes: Changes, caller: Caller, ref: str, questions: Sequence[Question], actor: str
    ) -> Sequence[Analysis]:
        """Asks about an incident, in any state; a question that still waits for its answer is not asked twice.

        Raises NotFound, InvalidFields for too many questions, and NOT_CONFIGURED naming the setting of a service that
        nobody can ask.
        """
        for question in questions:
            self._must_be_configured(question)
        incident = await tx.incident(caller.tenant, ref)
        known = await tx.analyses(caller.tenant, incident.id, "", MOST)
        waiting = {each.question: each for each in known if each.state is AnalysisState.PENDING}
        new = [question for question in questions if question not in waiting]
        if len(known) + len(new) > MOST:
            text = f"{incident.number} has {len(known)} analyses, and takes {MOST}: read those"
            raise InvalidFields([Violation("questions", text, "analyses")])
        now = self._clock.now()
        asked = {each: analyses.ask(changes, self._ids, incident, each, actor, now) for each in new}
        if new:
            self._tell(changes, incident, new, actor, now)
        return [asked[each] if each in asked else waiting[each] for each in questions]

    def _must_be_configured(self, question: Question) -> None:
        if question.service not in self._configured:
            setting = f"integrations.{question.service}.target"
            text = f"nobody can be asked about {question}: {setting} is not set"
            raise DomainError(ErrorReason.NOT_CONFIGURED, text, {"setting": setting})

    def _tell(
        self, changes: Changes, incident: Incident, questions: Sequence[Question], actor: str, now: Instant
    ) -> None:
        services = ", ".join(dict.fromkeys(question.service for question in questions))
        details = {"verb": "request_analysis", "questions": ",".join(questions)}
        after = {f"analysis.{question}": AnalysisState.PENDING for question in questions}
        text = f"{actor} asked {services}: {', '.join(questions)}"
        happening = Happening(TimelineKind.ANALYSIS, actor, text, details, after=after)
        told.tell(changes, self._ids, incident, happening, now)

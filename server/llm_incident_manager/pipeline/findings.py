"""What became of questions to the services beside the manager, as rows: the analysis, the timeline, what follows."""

from collections.abc import Collection
from dataclasses import dataclass

from llm_incident_manager.domain import changed_fields, time
from llm_incident_manager.domain.analysis import Analysis, AnalysisState, Question
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind
from llm_incident_manager.engines import consult, notify
from llm_incident_manager.engines.breaker import Refuse
from llm_incident_manager.pipeline import failing
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports import analyses, snoozing, told
from llm_incident_manager.ports.changes import Changes, OutboxRetry, OutboxRow
from llm_incident_manager.ports.consultant import Finding, Refusal
from llm_incident_manager.ports.told import Happening

Outcome = Finding | Refusal | Refuse | None
"""What came of a question: an answer, none, not asked since the service is known to be gone, not asked in time."""


@dataclass(slots=True)
class Book:
    """Enters outcomes into the changes of one transaction. `incidents` are as they are now, and as they become."""

    changes: Changes
    incidents: dict[IncidentId, Incident]
    now: Instant
    tools: Tools

    def enter(self, row: OutboxRow, asked: Analysis, outcome: Outcome, others: Collection[Question]) -> None:
        """`others` are questions that were asked about the incident and not given up."""
        if outcome is None:
            self.changes.outbox_retries.append(failing.hand_back(row))
        elif isinstance(outcome, Finding):
            self._answered(row, asked, outcome, others)
        elif isinstance(outcome, Refuse):
            error = f"{asked.question.service} is not asked: {outcome.why}"
            self._waits(row, asked, row.attempts, outcome.until, error)
        else:
            self._refused(row, asked, outcome)

    def _answered(self, row: OutboxRow, asked: Analysis, finding: Finding, others: Collection[Question]) -> None:
        incident = self.incidents[row.incident_id]
        judged = consult.judge(incident, finding.recommended, apply=self.tools.consulting.apply)
        applied = isinstance(judged, consult.Raise)
        answered = asked._replace(
            state=AnalysisState.ANSWERED,
            updated_at=self.now,
            attempts=row.attempts + 1,
            error="",
            confidence=finding.confidence,
            recommended=finding.recommended,
            applied=applied,
            findings=finding.message,
        )
        self.changes.outbox_done.append(row)
        self.changes.analyses.append(answered)
        note = f"; {judged.why}" if isinstance(judged, consult.Note) else ""
        text = f"{asked.question.service} on {asked.question}: {finding.summary or 'answered'}{note}"
        self._tell(answered, text)
        if isinstance(judged, consult.Raise):
            self._raise(incident, judged.to, answered)
        follows = consult.follow_up(asked.question, finding.confidence, others)
        if follows is not None:
            analyses.ask(self.changes, self.tools.ids, incident, follows, asked.question.service, self.now)
        self.tools.metrics.consulted(asked.question, "answered")

    def _refused(self, row: OutboxRow, asked: Analysis, refusal: Refusal) -> None:
        attempts, retry = row.attempts + 1, self.tools.consulting.retry
        then = notify.decide(
            row.id,
            attempts,
            ok=False,
            retryable=refusal.retryable,
            retry_after=refusal.retry_after,
            now=self.now,
            policy=retry,
        )
        self.tools.metrics.consulted(asked.question, "retryable" if isinstance(then, notify.Again) else "given_up")
        if isinstance(then, notify.Again):
            self._waits(row, asked, attempts, then.due_at, refusal.detail)
            return
        times = f"{attempts} attempts failed: " if refusal.retryable else ""
        error = f"{times}{refusal.detail}"
        failed = asked._replace(state=AnalysisState.FAILED, updated_at=self.now, attempts=attempts, error=error)
        self.changes.outbox_retries.append(OutboxRetry(row.id, row.fence, attempts, self.now, error, dead=True))
        self.changes.analyses.append(failed)
        self._tell(failed, f"{asked.question.service} gave no answer on {asked.question}: {error}")

    def _waits(self, row: OutboxRow, asked: Analysis, attempts: int, until: Instant, error: str) -> None:
        """It is asked again; the timeline tells that once."""
        waiting = asked._replace(updated_at=self.now, attempts=attempts, error=error)
        self.changes.outbox_retries.append(OutboxRetry(row.id, row.fence, attempts, until, error))
        self.changes.analyses.append(waiting)
        if not row.last_error:
            again = f"asked again from {time.rfc3339(until)} on"
            self._tell(waiting, f"{asked.question.service} gave no answer on {asked.question} yet: {error}; {again}")

    def _tell(self, analysis: Analysis, text: str) -> None:
        question, state = analysis.question, analysis.state
        details = {"analysis": analysis.id, "question": question, "service": question.service, "state": state}
        if analysis.confidence is not None:
            details["confidence"] = f"{analysis.confidence:g}"
        if analysis.recommended is not None:
            details["recommended"] = analysis.recommended.name
        if analysis.error:
            details["error"] = analysis.error
        after = {f"analysis.{question}": state}
        happening = Happening(TimelineKind.ANALYSIS, question.service, text, details, after=after)
        told.tell(self.changes, self.tools.ids, self.incidents[analysis.incident_id], happening, self.now)

    def _raise(self, incident: Incident, to: Severity, analysis: Analysis) -> None:
        """As if the service had edited the incident."""
        actor, before = analysis.question.service, incident.severity.name
        raised = incident.changed(self.now, severity=to)
        text = f"Severity raised from {before} to {to.name}: {actor} recommends it"
        details = {"from": before, "to": to.name, "analysis": analysis.id}
        differing = changed_fields.between(incident, raised)
        happening = Happening(TimelineKind.SEVERITY, actor, text, details, *differing)
        told.tell(self.changes, self.tools.ids, raised, happening, self.now)
        raised = snoozing.settled(self.changes, self.tools.ids, incident, raised, actor, self.now)
        earlier = [each for each in self.changes.changed if each.id != raised.id]
        self.changes.changed[:] = [*earlier, raised]  # several answers may raise it, one after the other
        self.incidents[incident.id] = raised
        told.ask_route(self.changes, self.tools.ids, raised, NotifyReason.SEVERITY_RAISED, self.now)

"""Judges each live event by the rule floor, and ends those an ingest mute rule holds back."""

from operator import attrgetter

from llm_incident_manager.domain.disposition import Disposition, EventResult, Reason
from llm_incident_manager.domain.event import Action, Event
from llm_incident_manager.domain.rules import MuteRule
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.engines import admission
from llm_incident_manager.pipeline.batch import Batch, Submission
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.ports.stores import Transaction

NAME = "triage"
_severity = attrgetter("severity")


def prepare(submission: Submission, tools: Tools) -> None:
    """Judges the events, and how urgent they are: needs no database, so it is done while earlier batches commit."""
    judge = tools.judge.decide
    submission.judgements = [judge(event) for event in submission.events]
    submission.priority = admission.priority(min(map(_severity, submission.judgements), default=Severity.P4))


async def run(batch: Batch, _tx: Transaction, tools: Tools) -> None:
    """Turns kinds that only record a change into changes, and ends what is muted."""
    mutes = tools.mutes
    for item in batch.live():
        if not item.judged.opens and item.action is Action.TRIGGER:
            item.action = Action.CHANGE
        if mutes and (muted := _muted_by(mutes, item.event)) is not None:
            item.result = EventResult(item.event_id, Disposition.SUPPRESSED, Reason.MUTED, warnings=(muted.name,))


def _muted_by(mutes: tuple[MuteRule, ...], event: Event) -> MuteRule | None:
    return next((rule for rule in mutes if rule.covers(event)), None)

"""Decides what is asked of the services beside the manager, what follows from an answer, and what becomes of the
severity they recommend."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from llm_incident_manager.domain.analysis import Question, Service
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.severity import Severity

SURE = 0.7
"""The confidence in a threat from which on a plan against it is asked for."""

AT_OPENING: Mapping[Service, tuple[Question, ...]] = {
    Service.SENTINEL: (Question.ANOMALY,),
    Service.SHIELD: (Question.THREAT, Question.RISK),
    Service.GOVERNANCE: (Question.COMPLIANCE,),
}
"""What each service is asked about an incident of its own."""


def questions(incident: Incident, reason: NotifyReason, services: Mapping[str, Service]) -> tuple[Question, ...]:
    """What is asked after a change of the incident: something when it was opened by a source of one of the services.
    Nothing about what is long over, or was merged into another incident."""
    if reason is not NotifyReason.OPENED or incident.historical or incident.merged_into is not None:
        return ()
    service = services.get(incident.source.lower())
    return () if service is None else AT_OPENING[service]


def follow_up(question: Question, confidence: float, asked: Collection[Question]) -> Question | None:
    """What is asked after an answer: a plan against a threat that is sure enough, unless one was asked for."""
    if question is Question.THREAT and confidence >= SURE and Question.MITIGATION not in asked:
        return Question.MITIGATION
    return None


@dataclass(frozen=True, slots=True)
class Raise:
    """The incident gets the recommended severity."""

    to: Severity


@dataclass(frozen=True, slots=True)
class Note:
    """The incident stays as it is, and its timeline says what was recommended and why it stays."""

    why: str


def judge(incident: Incident, recommended: Severity | None, *, apply: bool) -> Raise | Note | None:
    """What becomes of a recommended severity. It may raise an open incident's, never lower it; without `apply` a
    person decides. None when there is nothing to say."""
    if recommended is None or recommended == incident.severity:
        return None
    if recommended > incident.severity:
        return Note(f"recommends {recommended.name}, which is less severe than {incident.severity.name}: not applied")
    if not incident.is_open:
        return Note(f"recommends {recommended.name}; the incident is {incident.state}: not applied")
    if not apply:
        return Note(f"recommends {recommended.name} instead of {incident.severity.name}")
    return Raise(recommended)

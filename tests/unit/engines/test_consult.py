"""What is asked when an incident opens, what follows from an answer, and what a recommended severity may do."""

from typing import Any

import pytest

from llm_incident_manager.domain.analysis import Question, Service
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.policy import NotifyReason
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.engines import consult
from llm_incident_manager.engines.consult import Note, Raise
from tests.support.builders import make_incident

SOURCES = {"llm-sentinel": Service.SENTINEL, "llm-shield": Service.SHIELD, "audit": Service.GOVERNANCE}


@pytest.mark.parametrize(
    ("source", "reason", "facts", "asked"),
    [
        # Each service is asked about incidents of its own sources.
        ("llm-sentinel", NotifyReason.OPENED, {}, (Question.ANOMALY,)),
        ("LLM-Shield", NotifyReason.OPENED, {}, (Question.THREAT, Question.RISK)),
        ("audit", NotifyReason.OPENED, {}, (Question.COMPLIANCE,)),
        # Nobody about those of others.
        ("llm-edge-agent", NotifyReason.OPENED, {}, ()),
        # Nor again when something else happens to it.
        ("llm-shield", NotifyReason.SEVERITY_RAISED, {}, ()),
        ("llm-shield", NotifyReason.REOPENED, {}, ()),
        # Nor about what is long over, or part of another incident by now.
        ("llm-shield", NotifyReason.OPENED, {"historical": True}, ()),
        ("llm-shield", NotifyReason.OPENED, {"merged_into": IncidentId("x")}, ()),
    ],
)
def test_what_is_asked_about_an_incident(
    source: str, reason: NotifyReason, facts: dict[str, Any], asked: tuple[Question, ...]
) -> None:
    assert consult.questions(make_incident(source=source, **facts), reason, SOURCES) == asked


@pytest.mark.parametrize(
    ("question", "confidence", "asked", "follows"),
    [
        # A threat that is sure enough asks for a plan against it.
        (Question.THREAT, 0.7, (), Question.MITIGATION),
        (Question.THREAT, 0.69, (), None),
        # Unless one is asked for already.
        (Question.THREAT, 1.0, (Question.MITIGATION,), None),
        (Question.RISK, 1.0, (), None),
    ],
)
def test_what_follows_from_an_answer(
    question: Question, confidence: float, asked: tuple[Question, ...], follows: Question | None
) -> None:
    assert consult.follow_up(question, confidence, asked) is follows


@pytest.mark.parametrize("apply", [True, False])
@pytest.mark.parametrize("has", list(Severity))
@pytest.mark.parametrize("recommended", [None, *Severity])
@pytest.mark.parametrize("state", list(State))
def test_a_recommended_severity_raises_or_is_noted_and_never_lowers(
    apply: bool, has: Severity, recommended: Severity | None, state: State
) -> None:
    incident = make_incident(severity=has, state=state)
    judged = consult.judge(incident, recommended, apply=apply)
    if recommended is None or recommended == has:
        assert judged is None
    elif recommended < has and incident.is_open and apply:
        assert judged == Raise(recommended)
    else:
        assert isinstance(judged, Note)
        assert recommended.name in judged.why

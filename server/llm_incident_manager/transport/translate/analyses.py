"""Analyses to protobuf, and questions back."""

from collections.abc import Mapping
from typing import Any

from incidentmanager.v1 import analysis_pb2

from llm_incident_manager.domain.analysis import Analysis, AnalysisState, Question
from llm_incident_manager.transport.translate import enums, times

QUESTION_OUT: Mapping[Question, int] = {
    each: analysis_pb2.AnalysisQuestion.Value(f"ANALYSIS_QUESTION_{each.name}") for each in Question
}
QUESTION_IN: Mapping[int, Question] = {number: question for question, number in QUESTION_OUT.items()}
_STATE_OUT = {each: analysis_pb2.AnalysisState.Value(f"ANALYSIS_STATE_{each.name}") for each in AnalysisState}


def analysis(given: Analysis) -> analysis_pb2.IncidentAnalysis:
    """The contract's analysis, with what was answered."""
    question: Any = QUESTION_OUT[given.question]
    severity: Any = 0 if given.recommended is None else enums.SEVERITY_OUT[given.recommended]
    built = analysis_pb2.IncidentAnalysis(
        id=given.id,
        incident_id=given.incident_id,
        question=question,
        state=_STATE_OUT[given.state],
        service=given.question.service,
        requested_by=given.requested_by,
        request_time=times.timestamp(given.requested_at),
        update_time=times.timestamp(given.updated_at),
        attempts=given.attempts,
        error=given.error,
        confidence=given.confidence or 0.0,
        recommended_severity=severity,
        severity_applied=given.applied,
    )
    if given.state is AnalysisState.ANSWERED:
        getattr(built, given.question).MergeFromString(given.findings)  # its field is called as the question
        getattr(built, given.question).SetInParent()
    return built

"""Questions and answers as messages of the contract: which method a question is, and what an answer must look like."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from google.protobuf.message import DecodeError, Message
from incidentmanager.v1 import (
    analysis_pb2,
    event_pb2,
    governance_evaluation_service_pb2,
    incident_pb2,
    sentinel_analysis_service_pb2,
    severity_pb2,
    shield_analysis_service_pb2,
)

from llm_incident_manager.domain.analysis import Question
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.ports.consultant import Finding, Inquiry

sentinel, shield, governance = (
    sentinel_analysis_service_pb2,
    shield_analysis_service_pb2,
    governance_evaluation_service_pb2,
)
_PACKAGE = "/incidentmanager.v1."


@dataclass(frozen=True, slots=True)
class Method:
    """The method of a question, and the field of its reply that holds the finding."""

    path: str
    request: Callable[..., Any]
    reply: type[Message]
    field: str


METHODS: Mapping[Question, Method] = {
    Question.ANOMALY: Method(
        f"{_PACKAGE}SentinelAnalysisService/AnalyzeAnomaly",
        sentinel.AnalyzeAnomalyRequest,
        sentinel.AnalyzeAnomalyResponse,
        "analysis",
    ),
    Question.THREAT: Method(
        f"{_PACKAGE}ShieldAnalysisService/AnalyzeThreat",
        shield.AnalyzeThreatRequest,
        shield.AnalyzeThreatResponse,
        "analysis",
    ),
    Question.RISK: Method(
        f"{_PACKAGE}ShieldAnalysisService/AssessRisk",
        shield.AssessRiskRequest,
        shield.AssessRiskResponse,
        "assessment",
    ),
    Question.MITIGATION: Method(
        f"{_PACKAGE}ShieldAnalysisService/GenerateMitigationPlan",
        shield.GenerateMitigationPlanRequest,
        shield.GenerateMitigationPlanResponse,
        "plan",
    ),
    Question.COMPLIANCE: Method(
        f"{_PACKAGE}GovernanceEvaluationService/EvaluateCompliance",
        governance.EvaluateComplianceRequest,
        governance.EvaluateComplianceResponse,
        "evaluation",
    ),
}


class Frames(Protocol):
    """How the rest of the server shows its values as messages, and what it holds against messages of others."""

    def incident(self, given: Incident) -> incident_pb2.Incident:
        """The incident as it is now."""
        ...

    def event(self, given: Event) -> event_pb2.Event:
        """An event."""
        ...

    def judged(self, message: Message) -> Sequence[Violation]:
        """The rules of the contract that a message breaks. Hides secrets in it."""
        ...


class NoAnswer(Exception):
    """What came is not an answer; the message says why."""


def request(inquiry: Inquiry, frames: Frames, frameworks: Sequence[str]) -> bytes:
    """The request of a question."""
    more: dict[str, Any] = {}
    if inquiry.question is Question.MITIGATION and inquiry.threat:
        more["threat"] = analysis_pb2.ThreatAnalysis.FromString(inquiry.threat)
    if inquiry.question is Question.COMPLIANCE:
        more["frameworks"] = frameworks
    if inquiry.event is not None:
        more["event"] = frames.event(inquiry.event)
    message = METHODS[inquiry.question].request(
        analysis_id=inquiry.analysis_id,
        tenant_id=inquiry.incident.tenant,
        incident=frames.incident(inquiry.incident),
        **more,
    )
    data: bytes = message.SerializeToString()
    return data


def finding(question: Question, data: bytes, frames: Frames) -> Finding:
    """The answer to a question. Raises NoAnswer naming the first rule that it breaks."""
    method = METHODS[question]
    try:
        reply = method.reply.FromString(data)
    except DecodeError:
        raise NoAnswer("its answer is no message of the contract") from None
    broken = frames.judged(reply)
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        raise NoAnswer(f"its answer breaks the contract: {broken[0].message}{more}")
    found: Any = getattr(reply, method.field)
    return Finding(
        found.confidence, _severity(getattr(found, "recommended_severity", 0)), found.summary, found.SerializeToString()
    )


def _severity(number: int) -> Severity | None:
    return Severity[severity_pb2.Severity.Name(number).removeprefix("SEVERITY_")] if number else None  # type: ignore[arg-type]  # a number of that enum

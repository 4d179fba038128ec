"""What the services beside the manager are asked about an incident, and what became of a question."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import Instant


class Service(StrEnum):
    """A service beside the manager."""

    SENTINEL = "sentinel"
    SHIELD = "shield"
    GOVERNANCE = "governance"


class Question(StrEnum):
    """What is asked."""

    ANOMALY = "anomaly"
    THREAT = "threat"
    RISK = "risk"
    MITIGATION = "mitigation"
    COMPLIANCE = "compliance"

    @property
    def service(self) -> Service:
        """Who is asked."""
        return _SERVICES[self]


_SERVICES: Mapping[Question, Service] = {
    Question.ANOMALY: Service.SENTINEL,
    Question.THREAT: Service.SHIELD,
    Question.RISK: Service.SHIELD,
    Question.MITIGATION: Service.SHIELD,
    Question.COMPLIANCE: Service.GOVERNANCE,
}


class AnalysisState(StrEnum):
    """How far a question is."""

    PENDING = "pending"
    ANSWERED = "answered"
    FAILED = "failed"


class Analysis(NamedTuple):
    """One question about an incident and what became of it. `id` is time-ordered, and the same each time the service
    is asked; `findings` is the contract's message of the answer, as bytes."""

    id: str
    tenant: TenantId
    incident_id: IncidentId
    question: Question
    state: AnalysisState
    requested_by: str
    requested_at: Instant
    updated_at: Instant
    attempts: int = 0
    error: str = ""
    confidence: float | None = None
    recommended: Severity | None = None
    applied: bool = False
    findings: bytes = b""

"""A service beside the manager that knows more about its own incidents."""

from dataclasses import dataclass
from typing import Protocol

from llm_incident_manager.domain.analysis import Question, Service
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.severity import Severity


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question. A repeat of the same question has the same `analysis_id`. `event` opened the incident; `threat` is
    the contract's message of the threat that a plan is asked against, as bytes; both may be missing."""

    analysis_id: str
    question: Question
    incident: Incident
    event: Event | None = None
    threat: bytes = b""
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer: how sure the service is (0 to 1), the severity it would give, a sentence, and the contract's message
    of the whole as bytes."""

    confidence: float
    recommended: Severity | None
    summary: str
    message: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """There is no answer to use. `detail` is for people; `well` tells whether the service as such is well: it is when
    it refuses one question, it is not when it is silent or lies, and None says nothing of it."""

    detail: str
    retryable: bool = False
    retry_after: float | None = None
    well: bool | None = None


class Consultant(Protocol):
    """Asks one service. A refusal is a Refusal, not an exception."""

    @property
    def service(self) -> Service:
        """Who is asked."""
        ...

    async def ask(self, inquiry: Inquiry) -> Finding | Refusal:
        """Asks once, within its own deadline."""
        ...

    async def close(self) -> None:
        """Gives back connections."""
        ...

"""Requests that Edge-Agents run a model near the traffic, and what becomes of them."""

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant


class InferencePriority(IntEnum):
    """How urgent: of those that wait the lowest number goes first."""

    CRITICAL = 1
    HIGH = 2
    NORMAL = 3
    LOW = 4


class InferenceStatus(StrEnum):
    """Where a request stands."""

    QUEUED = "QUEUED"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


FINISHED = frozenset({InferenceStatus.COMPLETED, InferenceStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Inference:
    """A request. `wanted_agent` is empty when any that has the model will do; `agent_id`, `epoch` and `server` tell who
    has it; `body` and `result` are as the door encodes them. `due_at`: its deadline, and of a finished one the moment
    at which it is forgotten."""

    tenant: TenantId
    request_id: str
    digest: bytes
    subject: str
    model_id: str
    wanted_agent: str
    priority: InferencePriority
    offline: bool
    status: InferenceStatus
    created_at: Instant
    due_at: Instant
    body: bytes
    agent_id: str = ""
    epoch: int = 0
    server: str = ""
    result: bytes = b""
    error: str = ""

    @property
    def finished(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.status in FINISHED

    def ended(self, status: InferenceStatus, until: Instant, *, result: bytes = b"", error: str = "") -> "Inference":
        """As it is from now on, kept until then."""
        return replace(self, status=status, due_at=until, result=result, error=error, body=b"")


def may_wait(offline: bool, priority: InferencePriority) -> bool:
    """Whether a request may wait for an agent that is away: what is critical never does."""
    return offline and priority is not InferencePriority.CRITICAL

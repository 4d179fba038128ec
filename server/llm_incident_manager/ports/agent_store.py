"""Edge-Agents, directives and requests for models as a store keeps them.

Whoever changes a directive locks it first; how it stands at its agents is read and written under that lock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeAlias

from llm_incident_manager.domain.agents import Agent, AgentState
from llm_incident_manager.domain.directives import Change, Directive, DirectiveState, Wanted
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.inference import Inference
from llm_incident_manager.domain.time import Instant

AgentRow: TypeAlias = Agent | Change | Inference
"""What a transaction writes: a new row, or the row that takes the place of an older one."""


class AgentKey(NamedTuple):
    """Names an agent."""

    tenant: TenantId
    agent_id: str


class Sign(NamedTuple):
    """A sign of life of a session, and the last telemetry that it has told (empty: none since)."""

    key: AgentKey
    epoch: int
    seen_at: Instant
    due_at: Instant
    telemetry: bytes


class Errand(NamedTuple):
    """A directive that an agent of ours has yet to be told, or to answer."""

    key: AgentKey
    epoch: int
    directive_id: str
    wanted: Wanted


class Pending(NamedTuple):
    """Whether directives are due, requests for models are due, and requests wait for an agent."""

    directives: bool
    inferences: bool
    queued: bool


class InferenceKey(NamedTuple):
    """Names a request for a model."""

    tenant: TenantId
    request_id: str


@dataclass(frozen=True, slots=True)
class AgentQuery:
    """Agents of a tenant by id, behind `after`."""

    tenant: TenantId
    state: AgentState | None = None
    service: str = ""
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class DirectiveQuery:
    """Directives of a tenant, newest first, with ids smaller than `before`."""

    tenant: TenantId
    state: DirectiveState | None = None
    agent_id: str = ""
    incident_id: str = ""
    before: str = ""
    limit: int = 100


class AgentReads(Protocol):
    """What a store, and a unit of work, is asked."""

    async def agent(self, tenant: TenantId, agent_id: str) -> Agent | None:
        """An agent; a unit of work locks it."""
        ...

    async def directive(self, tenant: TenantId, id_: str) -> Directive | None:
        """A directive with all its deliveries; a unit of work locks it."""
        ...

    async def inference(self, key: InferenceKey) -> Inference | None:
        """A request; a unit of work locks it."""
        ...

    async def agents(self, query: AgentQuery) -> Sequence[Agent]:
        """One page of agents."""
        ...


class AgentHolding(AgentReads, Protocol):
    """What only a unit of work is asked."""

    async def due_directives(self, now: Instant, limit: int) -> Sequence[Directive]:
        """Locks and reads directives of which something is due; what others have locked is passed over."""
        ...

    async def due_inferences(self, now: Instant, limit: int) -> Sequence[Inference]:
        """The same of requests whose deadline has passed, or that may be forgotten."""
        ...

    async def forget_inferences(self, keys: Sequence[InferenceKey]) -> None:
        """Deletes requests."""
        ...

    async def queued_inferences(self, limit: int) -> Sequence[Inference]:
        """Locks and reads requests that wait for an agent, the most urgent and then the oldest first."""
        ...

    async def count_queued(self, tenant: TenantId) -> int:
        """How many requests of a tenant wait for an agent."""
        ...

    async def inferences_of(self, key: AgentKey) -> Sequence[Inference]:
        """Locks and reads what an agent has been given and has not answered."""
        ...


class AgentStore(AgentReads, Protocol):
    """What only a store is asked."""

    async def directives(self, query: DirectiveQuery) -> Sequence[Directive]:
        """One page of directives."""
        ...

    async def errands(self, server: str, limit: int) -> Sequence[Errand]:
        """What agents whose sessions a process has are yet to be told, or to answer."""
        ...

    async def epochs(self, server: str) -> Mapping[AgentKey, int]:
        """The sessions that a process has."""
        ...

    async def note_signs(self, signs: Sequence[Sign]) -> Sequence[AgentKey]:
        """Writes signs of life; those agents are answered whose session is the newest."""
        ...

    async def silent_agents(self, now: Instant, limit: int) -> Sequence[Agent]:
        """Agents that are due to count as lost, the longest silent first."""
        ...

    async def returned_agents(self, limit: int) -> Sequence[Agent]:
        """Agents that are connected, and of which an incident still tells that they are lost."""
        ...

    async def inference_results(self, keys: Sequence[InferenceKey]) -> Sequence[Inference]:
        """Those of these requests that are finished."""
        ...

    async def agents_pending(self, now: Instant) -> Pending:
        """What there is to do about agents."""
        ...

"""The sessions of Edge-Agents that this process has: who they are, and what has been told on each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from llm_incident_manager.domain.agents import Agent, Attention
from llm_incident_manager.domain.directives import Directive, Wanted
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.inference import Inference
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.agent_store import AgentKey, Sign
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.usecases.unit import Units


class Ground(NamedTuple):
    """What looking after agents stands on; `server` names this start of the process."""

    store: Store
    clock: Clock
    units: Units
    metrics: Metrics
    server: str


class Outlet(Protocol):
    """What leads to an agent. Nothing here waits."""

    def order(self, directive: Directive, wanted: Wanted) -> None:
        """A directive to apply or to revert."""
        ...

    def ask(self, inference: Inference) -> None:
        """A model to run."""
        ...

    def cut(self, error: DomainError) -> None:
        """Ends the session."""
        ...


class Told(NamedTuple):
    """What a session has been told of a directive."""

    directive_id: str
    wanted: Wanted


@dataclass(slots=True, eq=False)
class Session:
    """One session. `signs` counts what has not been written yet."""

    key: AgentKey
    epoch: int
    agent: Agent
    outlet: Outlet
    seen_at: Instant
    unwritten: bool = False
    telemetry: bytes = b""
    told: set[Told] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    def sign(self, now: Instant) -> None:
        """The agent gave a sign of life."""
        self.seen_at = now
        self.unwritten = True

    def told_of(self, telemetry: bytes, now: Instant) -> None:
        """The agent has told how it is."""
        self.telemetry = telemetry
        self.sign(now)


class Sessions:
    """The sessions by agent; of each agent one, the newest."""

    def __init__(self, attention: Attention, count: Callable[[int], None]) -> None:
        """`count` is told how many there are."""
        self.attention = attention
        self._count = count
        self._held: dict[AgentKey, Session] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._held)

    def add(self, session: Session) -> Session | None:
        """A new session takes the place of the agent's older one, which is returned."""
        older = self._held.get(session.key)
        self._held[session.key] = session
        self._count(len(self._held))
        return older

    def remove(self, session: Session) -> None:
        """It has ended."""
        if self._held.get(session.key) is session:
            del self._held[session.key]
            self._count(len(self._held))

    def get(self, key: AgentKey) -> Session | None:
        """The session of an agent."""
        return self._held.get(key)

    def all(self) -> Iterable[Session]:
        """All, as they are now."""
        return tuple(self._held.values())

    def signs(self) -> list[tuple[Session, Sign]]:
        """What has not been written yet."""
        due = self.attention.due
        return [
            (each, Sign(each.key, each.epoch, each.seen_at, due(each.seen_at), each.telemetry))
            for each in self._held.values()
            if each.unwritten
        ]

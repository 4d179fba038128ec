"""Edge-Agents: their sessions, the directives they are given, and the models they run."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from llm_incident_manager.config.values import Count, Seconds, Section
from llm_incident_manager.domain.agents import Attention
from llm_incident_manager.domain.time import SECOND


class EdgeAgents(Section):
    """Edge-Agents: their sessions, the directives they are given, and the models they run."""

    heartbeat_secs: Annotated[float, Field(ge=0.2, le=3_600)] = 30.0
    """An agent gives a sign of life at least so often; the same for all processes."""
    missed_heartbeats: Annotated[int, Field(ge=1, le=100)] = 3
    """After so many without one its session is cut, and it counts as lost: an incident is opened."""
    telemetry_secs: Seconds = 60.0
    """Agents tell so often how they are."""
    max_sessions: Count = 5_000
    """Sessions that one process has at most."""
    agent_settings: Mapping[str, str] = Field(default_factory=dict)
    """What agents are configured with, by name; it goes to each that has another configuration."""
    directive_min_secs: Annotated[float, Field(ge=1, le=86_400)] = 1.0
    """The shortest time for which a directive may hold."""
    directive_max_secs: Annotated[float, Field(ge=1, le=2_592_000)] = 86_400.0
    """The longest."""
    approve_within_secs: Annotated[float, Field(ge=1, le=2_592_000)] = 86_400.0
    """A directive that nobody has approved by then expires."""
    max_agents_per_directive: Annotated[int, Field(ge=1, le=1_000)] = 100
    """How many agents one directive may be for."""
    max_waiting_inferences: Count = 1_000
    """Requests for models of one tenant that wait for an agent at most."""
    max_inferences_per_agent: Annotated[int, Field(ge=1, le=1_000)] = 16
    """Requests that an agent has at once."""

    def attention(self) -> Attention:
        """How often agents must give a sign of life."""
        return Attention(self.heartbeat_secs, self.missed_heartbeats)

    @property
    def report_grace(self) -> int:
        """How many microseconds after its time an agent may take to say that it has reverted a directive."""
        return int(self.heartbeat_secs * self.missed_heartbeats * SECOND)

"""Edge-Agents: proxies near the traffic of language models. Each belongs to the subject that first used its id."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.event import NOTHING, Action, Event
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import SECOND, Instant

PROTOCOL_VERSION = 1
"""What this program speaks."""
SUPPORTED = frozenset({PROTOCOL_VERSION})

SOURCE = "edge-agent"
LOST_KIND = "edge_agent_lost"


class AgentState(StrEnum):
    """Whether an agent can be reached."""

    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    LOST = "LOST"


class Profile(NamedTuple):
    """What an agent tells of itself with each registration."""

    display_name: str = ""
    version: str = ""
    protocol_version: int = PROTOCOL_VERSION
    actions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    service: str = ""
    environment: str = ""
    labels: Mapping[str, str] = NOTHING


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent. `server` is the process that has its session, empty when none has; `due_at` the moment from which it
    counts as lost, None when nobody misses it; `reported_lost` whether an incident tells so; `telemetry` the last that
    it told, as the door encodes it."""

    tenant: TenantId
    agent_id: str
    subject: str
    profile: Profile
    state: AgentState
    epoch: int
    server: str
    created_at: Instant
    connected_at: Instant
    last_seen_at: Instant
    due_at: Instant | None
    reported_lost: bool = False
    configuration_version: str = ""
    configuration_error: str = ""
    telemetry: bytes = b""

    @property
    def connected(self) -> bool:
        """Whether a process has its session."""
        return self.state is AgentState.CONNECTED and bool(self.server)


class Attention:
    """How often an agent must give a sign of life, and how long nobody minds when it does not."""

    def __init__(self, heartbeat: float, missed: int) -> None:
        """An agent is lost after `missed` intervals of `heartbeat` seconds."""
        self.heartbeat = heartbeat
        self.missed = missed
        self.patience = int(heartbeat * missed * SECOND)

    def due(self, seen_at: Instant) -> Instant:
        """When an agent that was seen then is lost."""
        return Instant(seen_at + self.patience)


def check_protocol(version: int) -> None:
    """Raises UNSUPPORTED_PROTOCOL."""
    if version not in SUPPORTED:
        known = ", ".join(map(str, sorted(SUPPORTED)))
        text = f"protocol_version {version} is not spoken here: use {known}, or update the older of the two programs"
        raise DomainError(
            ErrorReason.UNSUPPORTED_PROTOCOL, text, {"protocol_version": str(version), "supported": known}
        )


def registered(
    known: Agent | None, key: tuple[TenantId, str], subject: str, profile: Profile, server: str, *, now: Instant,
    due_at: Instant,
) -> Agent:  # fmt: skip
    """The agent with its new session. Raises AGENT_ID_TAKEN when the id is somebody else's."""
    if known is None:
        tenant, agent_id = key
        return Agent(tenant, agent_id, subject, profile, AgentState.CONNECTED, 1, server, now, now, now, due_at)
    if known.subject != subject:
        text = f"agent_id {known.agent_id!r} belongs to another caller, who registered it first: choose another id"
        raise DomainError(ErrorReason.AGENT_ID_TAKEN, text, {"agent_id": known.agent_id})
    return replace(
        known,
        profile=profile,
        state=AgentState.CONNECTED,
        epoch=known.epoch + 1,
        server=server,
        connected_at=now,
        last_seen_at=now,
        due_at=due_at,
    )


def fenced(agent_id: str, epoch: int, current: int | None) -> DomainError:
    """What a session hears whose agent has a newer one."""
    text = f"a newer session of agent {agent_id!r} has taken over: only one at a time is served"
    metadata = {"agent_id": agent_id, "epoch": str(epoch)} | ({} if current is None else {"current": str(current)})
    return DomainError(ErrorReason.SESSION_FENCED, text, metadata)


def lost_event(agent: Agent, now: Instant, missed: int) -> Event:
    """What is reported of an agent that gives no sign of life. A repeat for the same session is a duplicate."""
    name = agent.profile.display_name or agent.agent_id
    silent = (now - agent.last_seen_at) // SECOND
    return Event(
        SOURCE,
        f"Edge-Agent {name} gives no sign of life",
        now,
        f"It was last seen {silent} s ago and has missed {missed} heartbeats. Its traffic is not watched, and "
        "directives do not reach it.",
        idempotency_key=f"{LOST_KIND}/{agent.agent_id}/{agent.epoch}/{agent.last_seen_at}",
        dedup_key=_dedup_key(agent),
        kind=LOST_KIND,
        severity="high",
        labels={"agent_id": agent.agent_id},
        service=agent.profile.service,
        environment=agent.profile.environment,
    )


def back_event(agent: Agent, now: Instant) -> Event:
    """What is reported of an agent that is back."""
    name = agent.profile.display_name or agent.agent_id
    return Event(
        SOURCE,
        f"Edge-Agent {name} is back",
        now,
        idempotency_key=f"edge_agent_back/{agent.agent_id}/{agent.epoch}",
        dedup_key=_dedup_key(agent),
        kind=LOST_KIND,
        action=Action.RESOLVE,
        labels={"agent_id": agent.agent_id},
        service=agent.profile.service,
    )


def _dedup_key(agent: Agent) -> str:
    return f"{SOURCE}/{agent.agent_id}"

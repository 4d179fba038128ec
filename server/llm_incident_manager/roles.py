"""What runs in a process by its roles. Which steps are whose is in pipeline/assembly.py."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from llm_incident_manager.config import Settings
from llm_incident_manager.domain.agents import Agent
from llm_incident_manager.domain.roles import Role
from llm_incident_manager.pipeline import assembly
from llm_incident_manager.pipeline.buses import CarriedBus
from llm_incident_manager.pipeline.checkpointer import Checkpointer
from llm_incident_manager.pipeline.eraser import Eraser
from llm_incident_manager.pipeline.indexer import Indexer
from llm_incident_manager.pipeline.meter import Meter
from llm_incident_manager.pipeline.outbox import Handler, Pump
from llm_incident_manager.pipeline.presence import Presence
from llm_incident_manager.pipeline.sweeper import Sweeper
from llm_incident_manager.pipeline.tenure import Tenure, Worker
from llm_incident_manager.pipeline.timers import Timers
from llm_incident_manager.ports.bus import Bus
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.hints import ACCESS, AGENTS, FEED, SESSIONS, Hints
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.usecases.agent_desk import AgentDesk
from llm_incident_manager.usecases.watch import Feed

UPKEEP = "upkeep"
"""The lease of whoever sweeps, indexes and signs the audit. Two at once, for a moment, would do needless work and no
harm: of two checkpoints with one number the database takes the first."""


class Follower(Protocol):
    """Something that looks at the change feed when it is told to."""

    def wake(self) -> None:
        """Something was committed."""
        ...


class News:
    """What was committed, and who has to know: those who work on it in this process at once, others by a hint."""

    def __init__(self, bus: Bus, hints: Hints, accepted: Meter) -> None:
        """Nobody follows yet; `accepted` measures how many events this process takes in."""
        self.bus = bus
        self.hints = hints
        self.accepted = accepted
        self.followers: list[Follower] = []
        self.of_agents: list[Follower] = []

    def tell(self, changes: Changes) -> None:
        """This process has committed that."""
        self.accepted.add(len(changes.events))
        if changes.feed:
            for follower in self.followers:
                follower.wake()
            self.hints.tell((FEED,))
        if changes.access:
            self.hints.tell((ACCESS,))
        if changes.agents:
            for follower in self.of_agents:
                follower.wake()
            moved = any(isinstance(row, Agent) for row in changes.agents)
            self.hints.tell((AGENTS, SESSIONS) if moved else (AGENTS,))
        self.bus.publish(changes.outbox)


class Listener:
    """Hears what other processes have committed."""

    def __init__(self, hints: Hints, feed: Feed, bus: Bus, access: Follower, agents: AgentDesk) -> None:
        """Passes it on to these."""
        self._agents = agents
        self._hints = hints
        self._feed = feed
        self._bus = bus
        self._access = access

    async def run(self) -> None:
        """Listens until cancelled."""
        await self._hints.run(self._heard)
        await asyncio.Event().wait()  # there are no others to hear

    def _heard(self, name: str) -> None:
        if name == FEED:
            self._feed.wake()
        elif name == ACCESS:
            self._access.wake()
        elif name in (AGENTS, SESSIONS):
            self._agents.heard(name)
        else:
            self._bus.wake(name)


def workers(
    settings: Settings,
    services: Services,
    news: News,
    owner: str,
    presence: Presence | None,
    checkpointer: Checkpointer | None = None,
) -> Mapping[str, Worker]:
    """The parts that work on their own in this process, by name; `news` will wake them.

    `owner` names this start of the process in leases. Without a presence there are no others, and no need for leases.
    """
    tools, batcher = services.tools, services.batcher
    found: dict[str, Worker] = {} if presence is None else {"presence": presence}
    if Role.API in settings.roles:
        found |= {"batcher": batcher, "feed": services.feed}
        news.followers.append(services.feed)
        found["edge_agents"] = services.agents.desk
        news.of_agents.append(services.agents.desk)
    timers = Timers(tools, owner)
    if Role.ROUTE in settings.roles:
        found["timers"] = timers
        found["agent_watch"] = services.agents.watch

    def pressed() -> bool:
        return batcher.pressed or timers.behind

    for handler in _after_commit(settings.roles):
        found[f"pump-{handler.TOPIC}"] = Pump(
            handler, tools, owner, pressed, bus=news.bus, accepted=news.accepted.per_second
        )
    if isinstance(news.bus, CarriedBus):
        found["bus"] = news.bus
    found["hints"] = Listener(news.hints, services.feed, news.bus, services.access.book, services.agents.desk)
    indexer = Indexer(tools.store, tools.clock, pressed)
    news.followers.append(indexer)
    upkeep: dict[str, Worker] = {
        "indexer": indexer,
        "eraser": Eraser(tools),
        "sweeper": Sweeper(tools.store, tools.clock, tools.kept, tools.metrics),
    }
    if checkpointer is not None:
        upkeep["checkpoints"] = checkpointer
    if presence is None:
        return {**found, **upkeep}
    return {**found, UPKEEP: Tenure(tools.store, tools.clock, UPKEEP, owner, settings.processes.lease_secs, upkeep)}


def _after_commit(roles: Collection[Role]) -> Iterator[Handler]:
    for handler in (*assembly.AFTER_COMMIT, *assembly.EFFECTS):
        if any(handler in assembly.STEPS[role] for role in roles):
            yield handler

"""Agents that give no sign of life become incidents, and those are over when they are back. Time is in our hands."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest_asyncio

from llm_incident_manager import attending
from llm_incident_manager.config import Settings
from llm_incident_manager.domain.agents import Agent, AgentState, Profile
from llm_incident_manager.domain.directives import (
    Change,
    Delivery,
    Directive,
    DirectiveAction,
    DirectiveState,
    Order,
    Parameters,
    Target,
)
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.usecases.agent_watch import AgentWatch
from llm_incident_manager.usecases.unit import Units
from tests.support.builders import NOW, TENANT
from tests.support.world import World, a_world

PATIENCE = 90 * SECOND


@dataclass
class Watched:
    """A world with somebody who looks after agents in it."""

    world: World
    watch: AgentWatch

    async def agent(self) -> Agent:
        found = await self.world.store.agent(TENANT, "edge-1")
        assert found is not None
        return found

    async def write(self, agent: Agent) -> None:
        async with self.world.store.transaction() as tx:
            await tx.write(Changes(agents=[agent]))

    async def pass_by(self, seconds: int) -> None:
        """Time passes, with a look each second."""
        for _ in range(seconds):
            self.world.clock.forward(SECOND)
            await self.watch.once()


def watch_of(world: World) -> AgentWatch:
    """As a process makes it at its start."""
    units = Units(world.store, world.clock, world.tools.wake)
    return attending.build(Settings(), world.tools, Runner(world.tools), units, "here").watch


@pytest_asyncio.fixture
async def watched() -> AsyncIterator[Watched]:
    """An agent with a session, seen just now."""
    async with a_world() as world:
        made = Watched(world, watch_of(world))
        profile = Profile("Edge one", "1.0", service="chat")
        due = Instant(NOW + PATIENCE)
        await made.write(Agent(TENANT, "edge-1", "key:1", profile, AgentState.CONNECTED, 1, "here", NOW, NOW, NOW, due))
        yield made


async def test_a_silent_agent_becomes_one_incident_of_its_service(watched: Watched) -> None:
    await watched.pass_by(89)
    assert await watched.world.incidents() == []
    await watched.pass_by(3)
    incident = await watched.world.incident()
    assert (incident.source, incident.service, incident.state) == ("edge-agent", "chat", State.NEW)
    assert "Edge one gives no sign of life" in incident.title
    agent = await watched.agent()
    assert (agent.state, agent.server, agent.due_at, agent.reported_lost) == (AgentState.LOST, "here", None, True)
    await watched.pass_by(200)
    assert (await watched.world.incident()).event_count == 1, "it is told once"


async def test_when_it_is_back_the_incident_is_over(watched: Watched) -> None:
    await watched.pass_by(92)
    back = replace(await watched.agent(), state=AgentState.CONNECTED, epoch=2, connected_at=watched.world.clock.now())
    await watched.write(back)
    await watched.pass_by(1)
    assert (await watched.world.incident()).state is State.RESOLVED
    assert not (await watched.agent()).reported_lost


async def test_who_was_away_gives_agents_time_to_come_back(watched: Watched) -> None:
    await watched.pass_by(10)
    watched.world.clock.forward(3_600 * SECOND)
    watched.watch = watch_of(watched.world)  # a new start, an hour later
    await watched.pass_by(80)
    assert await watched.world.incidents() == [], "whoever reconnects within its time was never lost"
    await watched.pass_by(12)
    assert len(await watched.world.incidents()) == 1


async def test_whom_nobody_misses_is_never_lost(watched: Watched) -> None:
    await watched.write(replace(await watched.agent(), state=AgentState.DISCONNECTED, server="", due_at=None))
    await watched.pass_by(200)
    assert await watched.world.incidents() == []


async def test_a_crash_after_the_report_makes_no_second_incident(watched: Watched) -> None:
    await watched.pass_by(92)
    lost = await watched.agent()
    again = replace(lost, state=AgentState.CONNECTED, due_at=Instant(NOW + PATIENCE), reported_lost=False)
    await watched.write(again)  # as if the mark had not been written
    await watched.pass_by(1)
    assert (await watched.world.incident()).event_count == 1, "the same event is a duplicate"
    assert (await watched.agent()).reported_lost


async def test_directives_expire_by_their_rows(watched: Watched) -> None:
    order = Order(DirectiveAction.RATE_LIMIT, Target(("edge-1",)), Parameters(), 60 * SECOND)
    delivery = Delivery("edge-1", DirectiveState.SENT, "sent", NOW, attempts=1, due_at=Instant(NOW + 60 * SECOND))
    directive = Directive("d-1", TENANT, order, False, "", "ann", NOW, NOW, (delivery,))
    async with watched.world.store.transaction() as tx:
        await tx.write(Changes(agents=[Change(directive, (delivery,))]))
    await watched.pass_by(59)
    assert (await watched.world.store.directive(TENANT, "d-1")) == directive
    await watched.pass_by(1)
    found = await watched.world.store.directive(TENANT, "d-1")
    assert found is not None
    assert found.state is DirectiveState.EXPIRED

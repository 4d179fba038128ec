"""Looks out for Edge-Agents that give no sign of life, and for directives and requests whose time is over. All of it
lies in rows with the moment at which it is due, so that it goes on after a restart, in whatever process.

Who was away itself, or could not ask the database, gives agents time to come back before it misses them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from llm_incident_manager.domain import agents
from llm_incident_manager.domain.agents import Agent, AgentState, Attention
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.ports.agent_store import AgentKey
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import StoreBroken, Transaction
from llm_incident_manager.telemetry import logs
from llm_incident_manager.usecases.agent_sessions import Ground
from llm_incident_manager.usecases.caller import Caller
from llm_incident_manager.usecases.directives import ACTOR, Directives
from llm_incident_manager.usecases.inferring import Inferring
from llm_incident_manager.usecases.unit import Once

POLL_SECONDS = 1.0
LIMIT = 100
"""Rows of each sort that are looked at in one transaction."""

Submit = Callable[[TenantId, Event], Awaitable[None]]
"""Takes an event through the ingest path; returns once it is committed."""


class AgentWatch:
    """Works until cancelled. Several processes may do so at once: of what they find out each is recorded once."""

    def __init__(
        self, ground: Ground, submit: Submit, attention: Attention, directives: Directives, inferring: Inferring
    ) -> None:
        """`submit` is how incidents come to be."""
        self._store, self._clock, self._units, self._metrics, _ = ground
        self._submit = submit
        self._attention = attention
        self._directives = directives
        self._inferring = inferring
        self._since: Instant | None = None
        self._looked = Instant(0)
        self._log = logs.get("edge_agents")

    async def run(self) -> None:
        """Looks once a second."""
        while True:
            try:
                await self.once()
            except StoreBroken:
                raise
            except Exception as error:  # noqa: BLE001  # one bad look must not end it: the rows are still there
                self._log.error("edge_agents.not_watched", error=repr(error))
            await self._clock.sleep(POLL_SECONDS)

    async def once(self) -> None:
        """One look. Raises StoreUnavailable."""
        now = self._clock.now()
        silent = await self._store.silent_agents(now, LIMIT)
        if self._patient(now):
            for agent in silent:
                await self._lost(agent, now)
        for agent in await self._store.returned_agents(LIMIT):
            await self._back(agent, now)
        pending = await self._store.agents_pending(now)
        if pending.directives:
            await self._until_done(self._directives.expire)
        if pending.inferences:
            await self._until_done(self._inferring.over)

    def _patient(self, now: Instant) -> bool:
        """Whether this process has watched without a gap for as long as an agent may be silent."""
        if self._since is None or now - self._looked > self._attention.patience:
            self._since = now
        self._looked = now
        return now - self._since >= self._attention.patience

    async def _lost(self, agent: Agent, now: Instant) -> None:
        """An incident first, then the mark: after a crash between them the event is a duplicate."""
        await self._submit(agent.tenant, agents.lost_event(agent, now, self._attention.missed))

        async def work(tx: Transaction, changes: Changes) -> bool:
            known = await tx.agent(agent.tenant, agent.agent_id)
            if known is None:
                return False
            silent = known.epoch == agent.epoch and known.due_at == agent.due_at
            changes.agents.append(
                replace(known, state=AgentState.LOST, due_at=None, reported_lost=True)  # its session may be alive
                if silent
                else replace(known, reported_lost=True)  # back meanwhile: what was reported is over at once
            )
            await self._inferring.take_back(tx, changes, AgentKey(known.tenant, known.agent_id))
            return silent

        if await self._unit(work):
            self._metrics.agent_lost()
            about = {"tenant": agent.tenant, "agent": agent.agent_id, "silent_secs": self._silence(agent, now)}
            self._log.warning("edge_agents.lost", **about)

    async def _back(self, agent: Agent, now: Instant) -> None:
        await self._submit(agent.tenant, agents.back_event(agent, now))

        async def work(tx: Transaction, changes: Changes) -> None:
            known = await tx.agent(agent.tenant, agent.agent_id)
            if known is not None and known.reported_lost and known.state is AgentState.CONNECTED:
                changes.agents.append(replace(known, reported_lost=False))

        await self._unit(work)

    async def _until_done(self, step: Callable[[Transaction, Changes, int], Awaitable[int]]) -> None:
        """Step by step, each in its own transaction, until a step found less than it could take."""

        async def work(tx: Transaction, changes: Changes) -> int:
            return await step(tx, changes, LIMIT)

        while await self._unit(work) == LIMIT:
            pass

    async def _unit(self, work: Callable[[Transaction, Changes], Awaitable[Any]]) -> Any:  # noqa: ANN401  # its answer
        once: Once[Any] = Once("", b"", lambda _: b"", lambda _: None)
        return (await self._units.run(Caller(TenantId(""), ACTOR), once, work)).answer

    @staticmethod
    def _silence(agent: Agent, now: Instant) -> int:
        return (now - agent.last_seen_at) // SECOND

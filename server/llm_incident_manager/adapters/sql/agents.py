"""What both databases are asked alike about Edge-Agents, directives and requests for models."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from llm_incident_manager.adapters.sql import agent_rows
from llm_incident_manager.adapters.sql.agent_rows import Row
from llm_incident_manager.domain.agents import Agent
from llm_incident_manager.domain.directives import Delivery, Directive, Wanted
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.inference import Inference
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.agent_store import (
    AgentKey,
    AgentQuery,
    DirectiveQuery,
    Errand,
    InferenceKey,
    Pending,
)


class Reads(ABC):
    """Implements ports.agent_store.AgentReads. The names of statements that read one, and lock it
    where that is needed."""

    AGENT, DIRECTIVE, INFERENCE = "agent", "directive", "inference"

    async def agent(self, tenant: TenantId, agent_id: str) -> Agent | None:
        """An agent; a unit of work locks it."""
        found = await self._ask(self.AGENT, tenant, agent_id)
        return agent_rows.agent_of(found[0]) if found else None

    async def agents(self, query: AgentQuery) -> Sequence[Agent]:
        """One page of agents."""
        wanted = (query.tenant, query.state or "", query.service, query.after, query.limit)
        return [agent_rows.agent_of(row) for row in await self._ask("agents", *wanted)]

    async def directive(self, tenant: TenantId, id_: str) -> Directive | None:
        """A directive with all its deliveries; a unit of work locks it."""
        found = await self._with_deliveries(await self._ask(self.DIRECTIVE, tenant, id_))
        return found[0] if found else None

    async def inference(self, key: InferenceKey) -> Inference | None:
        """A request; a unit of work locks it."""
        found = await self._ask(self.INFERENCE, *key)
        return agent_rows.inference_of(found[0]) if found else None

    async def _with_deliveries(self, found: Sequence[Row]) -> list[Directive]:
        by_tenant: dict[str, list[str]] = {}
        for row in found:
            by_tenant.setdefault(row[1], []).append(row[0])
        deliveries: dict[str, list[Delivery]] = {}
        for tenant, ids in by_tenant.items():
            for row in await self._ask("deliveries_of_directives", tenant, agent_rows.json(ids)):
                deliveries.setdefault(row[0], []).append(agent_rows.delivery_of(row))
        return [agent_rows.directive_of(row, deliveries[row[0]]) for row in found]

    @abstractmethod
    async def _ask(self, name: str, *values: object) -> Sequence[Row]:
        """The rows that a statement answers."""


class Held(Reads):
    """Implements ports.agent_store.AgentHolding."""

    async def due_directives(self, now: Instant, limit: int) -> Sequence[Directive]:
        """Locks and reads directives of which something is due."""
        return await self._with_deliveries(await self._ask("due_directives", now, limit))

    async def due_inferences(self, now: Instant, limit: int) -> Sequence[Inference]:
        """Locks and reads requests whose deadline has passed, or that may be forgotten."""
        return [agent_rows.inference_of(row) for row in await self._ask("due_inferences", now, limit)]

    async def forget_inferences(self, keys: Sequence[InferenceKey]) -> None:
        """Deletes requests."""
        for key in keys:
            await self._ask("forget_inference", *key)

    async def queued_inferences(self, limit: int) -> Sequence[Inference]:
        """Locks and reads requests that wait for an agent, the most urgent and then the oldest first."""
        return [agent_rows.inference_of(row) for row in await self._ask("queued_inferences", limit)]

    async def count_queued(self, tenant: TenantId) -> int:
        """How many requests of a tenant wait for an agent."""
        ((count,),) = await self._ask("count_queued", tenant)
        return int(count)

    async def inferences_of(self, key: AgentKey) -> Sequence[Inference]:
        """Locks and reads what an agent has been given and has not answered."""
        return [agent_rows.inference_of(row) for row in await self._ask("inferences_of", *key)]


class Lists(Reads):
    """Implements ports.agent_store.AgentStore but for `note_signs`."""

    async def directives(self, query: DirectiveQuery) -> Sequence[Directive]:
        """One page of directives."""
        wanted = (query.tenant, query.state or "", query.agent_id, query.incident_id, query.before, query.limit)
        return await self._with_deliveries(await self._ask("directives", *wanted))

    async def errands(self, server: str, limit: int) -> Sequence[Errand]:
        """What agents whose sessions a process has are yet to be told, or to answer."""
        found = await self._ask("errands", server, limit)
        return [
            Errand(AgentKey(TenantId(tenant), agent_id), epoch, directive_id, Wanted(wanted))
            for tenant, agent_id, epoch, directive_id, wanted in found
        ]

    async def epochs(self, server: str) -> Mapping[AgentKey, int]:
        """The sessions that a process has."""
        found = await self._ask("epochs", server)
        return {AgentKey(TenantId(tenant), agent_id): epoch for tenant, agent_id, epoch in found}

    async def silent_agents(self, now: Instant, limit: int) -> Sequence[Agent]:
        """Agents that are due to count as lost, the longest silent first."""
        return [agent_rows.agent_of(row) for row in await self._ask("silent_agents", now, limit)]

    async def returned_agents(self, limit: int) -> Sequence[Agent]:
        """Agents that are connected, and of which an incident still tells that they are lost."""
        return [agent_rows.agent_of(row) for row in await self._ask("returned_agents", limit)]

    async def agents_pending(self, now: Instant) -> Pending:
        """What there is to do about agents."""
        return Pending(*map(bool, (await self._ask("agents_pending", now))[0]))

    async def inference_results(self, keys: Sequence[InferenceKey]) -> Sequence[Inference]:
        """Those of these requests that are finished."""
        return [agent_rows.inference_of(row) for key in keys for row in await self._ask("finished_inference", *key)]

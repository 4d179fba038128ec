"""Edge-Agents, directives and requests for models between rows and values, and what both databases are asked alike."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, assert_never

import orjson

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
    Wanted,
)
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.inference import Inference, InferencePriority, InferenceStatus
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.agent_store import (
    AgentKey,
    AgentQuery,
    AgentRow,
    DirectiveQuery,
    Errand,
    InferenceKey,
    Pending,
)

Row = Sequence[Any]

AGENT_COLUMNS = (
    *("tenant", "agent_id", "subject", "state", "service", "epoch", "server", "created_at", "connected_at"),
    *("last_seen_at", "due_at", "reported_lost", "body", "telemetry"),
)
DIRECTIVE_COLUMNS = (
    *("id", "tenant", "state", "incident_id", "created_at", "updated_at", "approved_by", "approved_at", "expire_at"),
    *("revert_requested", "revision", "body"),
)
DELIVERY_COLUMNS = (
    *("directive_id", "agent_id", "tenant", "state", "reason", "updated_at", "applied_at", "attempts", "due_at"),
    "wanted",
)
INFERENCE_COLUMNS = (
    *("tenant", "request_id", "digest", "subject", "model_id", "wanted_agent", "priority", "offline", "status"),
    *("created_at", "due_at", "body", "agent_id", "epoch", "server", "result", "error"),
)

PLACES: Mapping[str, str] = {
    "{agent}": ", ".join(f"a.{column}" for column in AGENT_COLUMNS),
    "{directive}": ", ".join(f"d.{column}" for column in DIRECTIVE_COLUMNS),
    "{delivered}": ", ".join(f"y.{column}" for column in DELIVERY_COLUMNS),
    "{inference}": ", ".join(f"f.{column}" for column in INFERENCE_COLUMNS),
}
"""Lists of columns, by the places that statements keep for them."""


class Statement(NamedTuple):
    """The name of a statement and its values; with `taken`, what has been taken when it answers no row."""

    name: str
    values: tuple[Any, ...]
    taken: str = ""


def statements(rows: Iterable[AgentRow]) -> Iterator[Statement]:
    """What writes these rows, in their order."""
    for row in rows:
        match row:
            case Agent():
                yield Statement("save_agent", _agent_row(row), "edge_agent")
            case Change():
                yield Statement("save_directive", _directive_row(row.directive))
                for each in row.deliveries:
                    yield Statement("save_delivery", _delivery_row(row.directive, each))
            case Inference():
                yield Statement("save_inference", _inference_row(row))
            case _:
                assert_never(row)


class Reads(ABC):
    """Implements ports.agent_store.AgentReads. `LOCK` goes before the names of statements that lock."""

    LOCK = ""

    async def agent(self, tenant: TenantId, agent_id: str) -> Agent | None:
        """An agent; a unit of work locks it."""
        found = await self._ask(f"{self.LOCK}agent", tenant, agent_id)
        return _agent_of(found[0]) if found else None

    async def agents(self, query: AgentQuery) -> Sequence[Agent]:
        """One page of agents."""
        wanted = (query.tenant, query.state or "", query.service, query.after, query.limit)
        return [_agent_of(row) for row in await self._ask("agents", *wanted)]

    async def directive(self, tenant: TenantId, id_: str) -> Directive | None:
        """A directive with all its deliveries; a unit of work locks it."""
        found = await self._with_deliveries(await self._ask(f"{self.LOCK}directive", tenant, id_))
        return found[0] if found else None

    async def inference(self, key: InferenceKey) -> Inference | None:
        """A request; a unit of work locks it."""
        found = await self._ask(f"{self.LOCK}inference", *key)
        return _inference_of(found[0]) if found else None

    async def _with_deliveries(self, found: Sequence[Row]) -> list[Directive]:
        by_tenant: dict[str, list[str]] = {}
        for row in found:
            by_tenant.setdefault(row[1], []).append(row[0])
        deliveries: dict[str, list[Delivery]] = {}
        for tenant, ids in by_tenant.items():
            for row in await self._ask("deliveries_of_directives", tenant, _json(ids)):
                deliveries.setdefault(row[0], []).append(_delivery_of(row))
        return [_directive_of(row, deliveries[row[0]]) for row in found]

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
        return [_inference_of(row) for row in await self._ask("due_inferences", now, limit)]

    async def forget_inferences(self, keys: Sequence[InferenceKey]) -> None:
        """Deletes requests."""
        for key in keys:
            await self._ask("forget_inference", *key)

    async def queued_inferences(self, limit: int) -> Sequence[Inference]:
        """Locks and reads requests that wait for an agent, the most urgent and then the oldest first."""
        return [_inference_of(row) for row in await self._ask("queued_inferences", limit)]

    async def count_queued(self, tenant: TenantId) -> int:
        """How many requests of a tenant wait for an agent."""
        ((count,),) = await self._ask("count_queued", tenant)
        return int(count)

    async def inferences_of(self, key: AgentKey) -> Sequence[Inference]:
        """Locks and reads what an agent has been given and has not answered."""
        return [_inference_of(row) for row in await self._ask("inferences_of", *key)]


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
        return [_agent_of(row) for row in await self._ask("silent_agents", now, limit)]

    async def returned_agents(self, limit: int) -> Sequence[Agent]:
        """Agents that are connected, and of which an incident still tells that they are lost."""
        return [_agent_of(row) for row in await self._ask("returned_agents", limit)]

    async def agents_pending(self, now: Instant) -> Pending:
        """What there is to do about agents."""
        return Pending(*map(bool, (await self._ask("agents_pending", now))[0]))

    async def inference_results(self, keys: Sequence[InferenceKey]) -> Sequence[Inference]:
        """Those of these requests that are finished."""
        return [_inference_of(row) for key in keys for row in await self._ask("finished_inference", *key)]


def _agent_row(agent: Agent) -> tuple[Any, ...]:
    body = {
        "profile": agent.profile._asdict(),
        "configuration_version": agent.configuration_version,
        "configuration_error": agent.configuration_error,
    }
    return (
        *(agent.tenant, agent.agent_id, agent.subject, agent.state, agent.profile.service, agent.epoch, agent.server),
        *(agent.created_at, agent.connected_at, agent.last_seen_at, agent.due_at, agent.reported_lost),
        *(_json(body), agent.telemetry),
    )


def _agent_of(row: Row) -> Agent:
    tenant, agent_id, subject, state, _, epoch, server, *times, lost, text, telemetry = row
    created_at, connected_at, last_seen_at, due_at = times
    body = orjson.loads(text)
    told = body["profile"]
    profile = Profile(**{**told, "actions": tuple(told["actions"]), "models": tuple(told["models"])})
    return Agent(
        TenantId(tenant),
        agent_id,
        subject,
        profile,
        AgentState(state),
        epoch,
        server,
        created_at,
        connected_at,
        last_seen_at,
        due_at,
        bool(lost),
        body["configuration_version"],
        body["configuration_error"],
        telemetry,
    )


def _directive_row(directive: Directive) -> tuple[Any, ...]:
    body = {
        "order": _order(directive.order),
        "by_other": directive.by_other,
        "scope": directive.scope,
        "created_by": directive.created_by,
    }
    return (
        *(directive.id, directive.tenant, directive.state, directive.order.incident_id, directive.created_at),
        *(directive.updated_at, directive.approved_by, directive.approved_at, directive.expire_at),
        *(directive.revert_requested, directive.revision, _json(body)),
    )


def _directive_of(row: Row, deliveries: Sequence[Delivery]) -> Directive:
    (id_, tenant, _, _, created_at, updated_at, approved_by, approved_at, expire_at, reverting, revision, text) = row
    body = orjson.loads(text)
    return Directive(
        id=id_,
        tenant=TenantId(tenant),
        order=_order_of(body["order"]),
        by_other=body["by_other"],
        scope=body["scope"],
        created_by=body["created_by"],
        created_at=created_at,
        updated_at=updated_at,
        deliveries=tuple(deliveries),
        approved_by=approved_by,
        approved_at=approved_at,
        expire_at=expire_at,
        revert_requested=bool(reverting),
        revision=revision,
    )


def _order(order: Order) -> dict[str, Any]:
    return {
        "action": order.action,
        "target": order.target._asdict(),
        "parameters": order.parameters._asdict(),
        "ttl": order.ttl,
        "rollback": None if order.rollback is None else order.rollback._asdict(),
        "reason": order.reason,
        "incident_id": order.incident_id,
    }


def _order_of(kept: dict[str, Any]) -> Order:
    target, rollback = kept["target"], kept["rollback"]
    return Order(
        DirectiveAction(kept["action"]),
        Target(**{**target, "agent_ids": tuple(target["agent_ids"])}),
        Parameters(**kept["parameters"]),
        kept["ttl"],
        None if rollback is None else Parameters(**rollback),
        kept["reason"],
        kept["incident_id"],
    )


def _delivery_row(directive: Directive, each: Delivery) -> tuple[Any, ...]:
    return (
        *(directive.id, each.agent_id, directive.tenant, each.state, each.reason, each.updated_at, each.applied_at),
        *(each.attempts, each.due_at, int(each.wanted)),
    )


def _delivery_of(row: Row) -> Delivery:
    _, agent_id, _, state, reason, updated_at, applied_at, attempts, due_at, wanted = row
    return Delivery(agent_id, DirectiveState(state), reason, updated_at, applied_at, attempts, due_at, Wanted(wanted))


def _inference_row(row: Inference) -> tuple[Any, ...]:
    return (
        *(row.tenant, row.request_id, row.digest, row.subject, row.model_id, row.wanted_agent, int(row.priority)),
        *(row.offline, row.status, row.created_at, row.due_at, row.body, row.agent_id, row.epoch, row.server),
        *(row.result, row.error),
    )


def _inference_of(row: Row) -> Inference:
    tenant, request_id, digest, subject, model_id, wanted, priority, offline, status, *rest = row
    created_at, due_at, body, agent_id, epoch, server, result, error = rest
    return Inference(
        TenantId(tenant),
        request_id,
        digest,
        subject,
        model_id,
        wanted,
        InferencePriority(priority),
        bool(offline),
        InferenceStatus(status),
        created_at,
        due_at,
        body,
        agent_id,
        epoch,
        server,
        result,
        error,
    )


def _json(value: object) -> str:
    return orjson.dumps(value, default=dict).decode()  # which makes mappings that cannot be changed plain ones

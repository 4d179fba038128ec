"""Edge-Agents, directives and requests for models between rows and values; the same for both databases."""

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
from llm_incident_manager.ports.agent_store import AgentRow

Row = Sequence[Any]

AGENT_COLUMNS = (
    *("tenant", "agent_id", "subject", "state", "service", "epoch", "server", "created_at", "connected_at"),
    *("last_seen_at", "due_at", "reported_lost", "body", "telemetry"),
)
DIRECTIVE_COLUMNS = (
    *("id", "tenant", "state", "made_for", "created_at", "updated_at", "approved_by", "approved_at", "expire_at"),
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


def _agent_row(agent: Agent) -> tuple[Any, ...]:
    body = {
        "profile": agent.profile._asdict(),
        "configuration_version": agent.configuration_version,
        "configuration_error": agent.configuration_error,
    }
    return (
        *(agent.tenant, agent.agent_id, agent.subject, agent.state, agent.profile.service, agent.epoch, agent.server),
        *(agent.created_at, agent.connected_at, agent.last_seen_at, agent.due_at, agent.reported_lost),
        *(json(body), agent.telemetry),
    )


def agent_of(row: Row) -> Agent:
    """The agent of a row."""
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
        *(directive.revert_requested, directive.revision, json(body)),
    )


def directive_of(row: Row, deliveries: Sequence[Delivery]) -> Directive:
    """The directive of a row, with its deliveries."""
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


def delivery_of(row: Row) -> Delivery:
    """How a directive stands at an agent, of a row."""
    _, agent_id, _, state, reason, updated_at, applied_at, attempts, due_at, wanted = row
    return Delivery(agent_id, DirectiveState(state), reason, updated_at, applied_at, attempts, due_at, Wanted(wanted))


def _inference_row(row: Inference) -> tuple[Any, ...]:
    return (
        *(row.tenant, row.request_id, row.digest, row.subject, row.model_id, row.wanted_agent, int(row.priority)),
        *(row.offline, row.status, row.created_at, row.due_at, row.body, row.agent_id, row.epoch, row.server),
        *(row.result, row.error),
    )


def inference_of(row: Row) -> Inference:
    """The request of a row."""
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


def json(value: object) -> str:
    """A value as JSON text; mappings that cannot be changed become plain ones."""
    return orjson.dumps(value, default=dict).decode()

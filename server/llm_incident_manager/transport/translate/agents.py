"""Edge-Agents, directives and requests for models to protobuf, and back."""

from collections.abc import Iterable

from incidentmanager.v1 import (
    directive_pb2,
    edge_agent_pb2,
    edge_agent_service_pb2,
    edge_inference_pb2,
    edge_session_pb2,
)

from llm_incident_manager.domain.agents import Agent, AgentState, Profile
from llm_incident_manager.domain.directives import (
    Delivery,
    Directive,
    DirectiveAction,
    DirectiveState,
    Order,
    Parameters,
    Target,
    Wanted,
)
from llm_incident_manager.domain.inference import Inference
from llm_incident_manager.domain.time import Instant, micros
from llm_incident_manager.transport.translate import times

_ACTION, _STATE, _AGENT, _STATUS = "DIRECTIVE_ACTION_", "DIRECTIVE_STATE_", "EDGE_AGENT_STATE_", "INFERENCE_STATUS_"


def profile_in(given: edge_session_pb2.EdgeAgentRegistration) -> Profile:
    """What an agent tells of itself."""
    return Profile(
        display_name=given.display_name,
        version=given.version,
        protocol_version=given.protocol_version,
        actions=tuple(map(str, actions_in(given.capabilities.actions))),
        models=tuple(given.capabilities.models),
        service=given.service,
        environment=given.environment,
        labels=dict(given.labels),
    )


def actions_in(given: Iterable[directive_pb2.DirectiveAction.ValueType]) -> list[DirectiveAction]:
    """Actions that are named."""
    return [action_in(number) for number in given if number]


def action_in(number: directive_pb2.DirectiveAction.ValueType) -> DirectiveAction:
    """An action."""
    return DirectiveAction(directive_pb2.DirectiveAction.Name(number).removeprefix(_ACTION))


def action_out(action: str) -> directive_pb2.DirectiveAction.ValueType:
    """An action by its name."""
    return directive_pb2.DirectiveAction.Value(f"{_ACTION}{action}")


def directive_state_in(number: directive_pb2.DirectiveState.ValueType) -> DirectiveState | None:
    """A state; None when it is not said."""
    return DirectiveState(directive_pb2.DirectiveState.Name(number).removeprefix(_STATE)) if number else None


def directive_state(state: DirectiveState) -> directive_pb2.DirectiveState.ValueType:
    """A state."""
    return directive_pb2.DirectiveState.Value(f"{_STATE}{state}")


def agent_state_in(number: edge_agent_pb2.EdgeAgentState.ValueType) -> AgentState | None:
    """A state; None when it is not said."""
    return AgentState(edge_agent_pb2.EdgeAgentState.Name(number).removeprefix(_AGENT)) if number else None


def agent(of: Agent) -> edge_agent_pb2.EdgeAgent:
    """An agent."""
    profile = of.profile
    telemetry = edge_agent_pb2.EdgeAgentTelemetry.FromString(of.telemetry) if of.telemetry else None
    return edge_agent_pb2.EdgeAgent(
        agent_id=of.agent_id,
        display_name=profile.display_name or of.agent_id,
        subject=of.subject,
        state=edge_agent_pb2.EdgeAgentState.Value(f"{_AGENT}{of.state}"),
        version=profile.version,
        protocol_version=profile.protocol_version,
        capabilities=edge_agent_pb2.EdgeAgentCapabilities(
            actions=[action_out(each) for each in profile.actions], models=profile.models
        ),
        service=profile.service,
        environment=profile.environment,
        labels=profile.labels,
        epoch=of.epoch,
        server=of.server if of.connected else "",
        create_time=times.timestamp(of.created_at),
        connect_time=times.timestamp(of.connected_at),
        last_seen_time=times.timestamp(of.last_seen_at),
        configuration_version=of.configuration_version,
        configuration_error=of.configuration_error,
        telemetry=telemetry,
    )


def order_in(given: edge_agent_service_pb2.CreateDirectiveRequest) -> Order:
    """What somebody wants agents to do."""
    target = given.target
    return Order(
        action=action_in(given.action),
        target=Target(
            agent_ids=tuple(target.agent_ids),
            service=target.service,
            environment=target.environment,
            labels=dict(target.labels),
            model=target.model,
            tool=target.tool,
            consumer=target.consumer,
        ),
        parameters=_parameters_in(given.parameters),
        ttl=micros(given.ttl.ToTimedelta()),
        rollback=_parameters_in(given.rollback) if given.HasField("rollback") else None,
        reason=given.reason,
        incident_id=given.incident_id,
    )


def _parameters_in(given: directive_pb2.DirectiveParameters) -> Parameters:
    return Parameters(dict(given.texts), dict(given.numbers), dict(given.flags))


def _parameters(of: Parameters) -> directive_pb2.DirectiveParameters:
    return directive_pb2.DirectiveParameters(texts=of.texts, numbers=of.numbers, flags=of.flags)


def directive(of: Directive, only: str = "") -> directive_pb2.Directive:
    """A directive; with one agent's delivery only when told."""
    order, target = of.order, of.order.target
    return directive_pb2.Directive(
        id=of.id,
        action=action_out(order.action),
        target=directive_pb2.DirectiveTarget(
            agent_ids=target.agent_ids,
            service=target.service,
            environment=target.environment,
            labels=target.labels,
            model=target.model,
            tool=target.tool,
            consumer=target.consumer,
        ),
        parameters=_parameters(order.parameters),
        ttl=times.duration(order.ttl),
        approval=directive_pb2.DirectiveApproval(
            by_other=of.by_other,
            explanation=of.scope,
            actor=of.approved_by,
            time=times.maybe_timestamp(of.approved_at),
        ),
        rollback=None if order.rollback is None else _parameters(order.rollback),
        state=directive_state(of.state),
        state_reason=of.state_reason,
        deliveries=[_delivery(each) for each in of.deliveries if only in ("", each.agent_id)],
        incident_id=order.incident_id,
        reason=order.reason,
        create_actor=of.created_by,
        create_time=times.timestamp(of.created_at),
        update_time=times.timestamp(of.updated_at),
        expire_time=times.maybe_timestamp(of.expire_at),
        revert_requested=of.revert_requested,
        etag=str(of.revision),
    )


def _delivery(of: Delivery) -> directive_pb2.DirectiveDelivery:
    return directive_pb2.DirectiveDelivery(
        agent_id=of.agent_id,
        state=directive_state(of.state),
        reason=of.reason,
        update_time=times.timestamp(of.updated_at),
        apply_time=times.maybe_timestamp(of.applied_at),
        attempts=of.attempts,
    )


def directive_order(of: Directive, wanted: Wanted, agent_id: str, now: Instant) -> edge_session_pb2.DirectiveOrder:
    """A directive as it goes to an agent."""
    revert = wanted is Wanted.REVERT
    left = 0 if of.expire_at is None else max(0, of.expire_at - now)
    return edge_session_pb2.DirectiveOrder(
        command=edge_session_pb2.DIRECTIVE_COMMAND_REVERT if revert else edge_session_pb2.DIRECTIVE_COMMAND_APPLY,
        directive=directive(of, agent_id),
        start_within=times.duration(left),
    )


def inference_result(of: Inference) -> edge_inference_pb2.InferenceResult:
    """What became of a request."""
    made = edge_inference_pb2.InferenceResult.FromString(of.result)
    made.request_id, made.agent_id, made.error = of.request_id, of.agent_id, of.error
    made.status = edge_inference_pb2.InferenceStatus.Value(f"{_STATUS}{of.status}")
    return made


def is_failure(given: edge_inference_pb2.InferenceResult) -> str:
    """Why an agent has no output; empty when it has one."""
    if given.status == edge_inference_pb2.INFERENCE_STATUS_COMPLETED:
        return ""
    return given.error or "the agent did not say why"

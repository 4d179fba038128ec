"""How Edge-Agents and directives look to people."""

from collections.abc import Mapping, Sequence
from typing import Any

from llm_incident_client import pb
from llm_incident_manager.cli.printing import Printer


def agents(printer: Printer, found: Sequence[pb.EdgeAgent]) -> None:
    """Prints agents, one a row."""
    rows = [
        (one.agent_id, _state(one), one.service, one.environment, printer.moment(one.last_seen_time), one.version)
        for one in found
    ]
    printer.table(("ID", "STATE", "SERVICE", "ENVIRONMENT", "LAST SEEN", "VERSION"), rows)


def agent(printer: Printer, one: pb.EdgeAgent) -> None:
    """Prints an agent, field below field."""
    used = one.telemetry.resources
    actions = [pb.DirectiveAction.Name(each).removeprefix("DIRECTIVE_ACTION_") for each in one.capabilities.actions]
    printer.details(
        (
            ("id", one.agent_id),
            ("name", one.display_name),
            ("state", _state(one)),
            ("subject", one.subject),
            ("service", one.service),
            ("environment", one.environment),
            ("labels", _pairs(one.labels)),
            ("version", one.version),
            ("protocol", str(one.protocol_version)),
            ("actions", ", ".join(actions)),
            ("models", ", ".join(one.capabilities.models)),
            ("session", f"{one.epoch} at {one.server}" if one.server else str(one.epoch)),
            ("connected", printer.moment(one.connect_time)),
            ("last seen", printer.moment(one.last_seen_time)),
            ("configuration", one.configuration_version),
            ("not configured", one.configuration_error),
            ("uses", f"{used.cpu_percent:.0f} % CPU, {used.memory_mb:.0f} MB" if one.HasField("telemetry") else ""),
            ("counters", _pairs(one.telemetry.counters)),
            ("gauges", _pairs(one.telemetry.gauges)),
        )
    )


def directives(printer: Printer, found: Sequence[pb.Directive]) -> None:
    """Prints directives, one a row."""
    rows = [
        (one.id, _action(one), _stands(one.state), str(len(one.deliveries)), one.create_actor, one.state_reason)
        for one in found
    ]
    printer.table(("ID", "ACTION", "STATE", "AGENTS", "BY", "WHY"), rows)


def directive(printer: Printer, one: pb.Directive) -> None:
    """Prints a directive, field below field, and then how it stands at each agent."""
    target, given = one.target, one.parameters
    printer.details(
        (
            ("id", one.id),
            ("action", _action(one)),
            ("state", f"{_stands(one.state)}: {one.state_reason}"),
            ("model", target.model),
            ("tool", target.tool),
            ("consumer", target.consumer),
            ("parameters", _pairs({**given.texts, **given.numbers, **given.flags})),
            ("holds for", one.ttl.ToJsonString()),
            ("reason", one.reason),
            ("incident", one.incident_id),
            ("made", f"{printer.moment(one.create_time)} by {one.create_actor}"),
            ("approval", one.approval.actor or one.approval.explanation),
            ("begins until", printer.moment(one.expire_time) if one.HasField("expire_time") else ""),
            ("taken back", "yes" if one.revert_requested else ""),
            *((f"at {each.agent_id}", f"{_stands(each.state)}: {each.reason}") for each in one.deliveries),
        )
    )


def _state(one: pb.EdgeAgent) -> str:
    return pb.EdgeAgentState.Name(one.state).removeprefix("EDGE_AGENT_STATE_")


def _action(one: pb.Directive) -> str:
    return pb.DirectiveAction.Name(one.action).removeprefix("DIRECTIVE_ACTION_")


def _stands(state: pb.DirectiveState.ValueType) -> str:
    return pb.DirectiveState.Name(state).removeprefix("DIRECTIVE_STATE_")


def _pairs(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(given.items()))

"""`agent …`: Edge-Agents, and the directives they are given."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from llm_incident_manager.cli import options, snooze
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.domain import directives

app = typer.Typer(no_args_is_help=True, help="Edge-Agents, and the directives they are given.")
directive = typer.Typer(no_args_is_help=True, help="What agents are told to do.")
app.add_typer(directive, name="directive")

AgentId = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's id.")]
DirectiveId = Annotated[str, typer.Argument(metavar="DIRECTIVE", help="The directive's id.")]
Why = Annotated[str, typer.Option("--reason", help="Why, for the audit.")]
Limit = Annotated[int, typer.Option("--limit", help="How many at most; 0 for all.", min=0)]
Pairs = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter; several times.")]


class Action(StrEnum):
    """What an agent is told to do."""

    FAIL_OVER_MODEL = "fail-over-model"
    RATE_LIMIT = "rate-limit"
    DISABLE_TOOL = "disable-tool"
    TIGHTEN_POLICY = "tighten-policy"
    SHED_TRAFFIC = "shed-traffic"
    CUSTOM = "custom"


class State(StrEnum):
    """Whether an agent can be reached."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    LOST = "lost"


class Stands(StrEnum):
    """Where a directive stands."""

    PENDING_APPROVAL = "pending-approval"
    APPROVED = "approved"
    SENT = "sent"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    FAILED = "failed"
    REJECTED = "rejected"
    REVERTED = "reverted"
    EXPIRED = "expired"
    CANCELED = "canceled"


@options.command(app, "list")
def list_agents(
    how: Invocation,
    *,
    state: Annotated[State | None, typer.Option("--state", help="Only agents in this state.")] = None,
    service: Annotated[str, typer.Option("--service", help="Only agents of this service.")] = "",
    limit: Limit = 100,
) -> None:
    """List agents by id."""
    from llm_incident_client import pb
    from llm_incident_manager.cli import agent_views, connection, printing

    wanted = pb.EdgeAgentState.Value(f"EDGE_AGENT_STATE_{'UNSPECIFIED' if state is None else state.name}")

    found = connection.listed(how, lambda client: client.iter_edge_agents(state=wanted, service=service), limit)
    printer = printing.Printer(how)
    printer.many(found, lambda: agent_views.agents(printer, found))


@options.command(app, "show")
def show(how: Invocation, agent: AgentId) -> None:
    """Show one agent."""
    from llm_incident_manager.cli import agent_views, connection, printing

    found = connection.call(how, lambda client: client.get_edge_agent(agent))
    printer = printing.Printer(how)
    printer.one(found, lambda: agent_views.agent(printer, found))


@options.command(directive, "create")
def create(  # noqa: PLR0913 - one argument an option
    how: Invocation,
    action: Annotated[Action, typer.Argument(help="What to do.")],
    *,
    ttl: Annotated[str, typer.Option("--ttl", help="How long it holds, for instance 15m.")],
    agent: Annotated[list[str] | None, typer.Option("--agent", help="An agent; may be given several times.")] = None,
    service: Annotated[str, typer.Option("--service", help="All agents of this service.")] = "",
    environment: Annotated[str, typer.Option("--environment", help="All agents of this environment.")] = "",
    label: Annotated[list[str] | None, typer.Option("--label", metavar="NAME=VALUE", help="All with it.")] = None,
    model: Annotated[str, typer.Option("--model", help="Only traffic to this model.")] = "",
    tool: Annotated[str, typer.Option("--tool", help="Only this tool.")] = "",
    consumer: Annotated[str, typer.Option("--consumer", help="Only traffic of this key, user or application.")] = "",
    parameter: Pairs = None,
    incident: Annotated[str, typer.Option("--incident", help="The incident it is for, by id or number.")] = "",
    reason: Why = "",
) -> None:
    """Make a directive; it waits for approval."""
    from llm_incident_client import pb
    from llm_incident_manager.cli import agent_views, connection, printing

    target = pb.DirectiveTarget(
        agent_ids=agent or (),
        service=service,
        environment=environment,
        labels=dict(map(_pair, label or ())),
        model=model,
        tool=tool,
        consumer=consumer,
    )
    given = _parameters(parameter or [])
    made = connection.call(
        how,
        lambda client: client.create_directive(
            pb.DirectiveAction.Value(f"DIRECTIVE_ACTION_{action.name}"),
            target,
            timedelta(microseconds=snooze.span(ttl, "--ttl")),
            parameters=pb.DirectiveParameters(texts=given.texts, numbers=given.numbers, flags=given.flags),
            reason=reason,
            incident_id=incident,
        ),
    )
    printer = printing.Printer(how)
    printer.one(made, lambda: agent_views.directive(printer, made))


@options.command(directive, "approve")
def approve(how: Invocation, id_: DirectiveId, *, reason: Why = "") -> None:
    """Let a directive be sent."""
    from llm_incident_manager.cli import agent_views, connection, printing

    moved = connection.call(how, lambda client: client.approve_directive(id_, reason=reason))
    printer = printing.Printer(how)
    printer.one(moved, lambda: agent_views.directive(printer, moved))


@options.command(directive, "cancel")
def cancel(how: Invocation, id_: DirectiveId, *, reason: Why = "") -> None:
    """Take a directive back; agents that have it revert it."""
    from llm_incident_manager.cli import agent_views, connection, printing

    moved = connection.call(how, lambda client: client.cancel_directive(id_, reason=reason))
    printer = printing.Printer(how)
    printer.one(moved, lambda: agent_views.directive(printer, moved))


@options.command(directive, "show")
def show_directive(how: Invocation, id_: DirectiveId) -> None:
    """Show one directive, and how it stands at each agent."""
    from llm_incident_manager.cli import agent_views, connection, printing

    found = connection.call(how, lambda client: client.get_directive(id_))
    printer = printing.Printer(how)
    printer.one(found, lambda: agent_views.directive(printer, found))


@options.command(directive, "list")
def list_directives(
    how: Invocation,
    *,
    state: Annotated[Stands | None, typer.Option("--state", help="Only directives in this state.")] = None,
    agent: Annotated[str, typer.Option("--agent", help="Only directives to this agent.")] = "",
    incident: Annotated[str, typer.Option("--incident", help="Only directives for this incident.")] = "",
    limit: Limit = 100,
) -> None:
    """List directives, newest first."""
    from llm_incident_client import pb
    from llm_incident_manager.cli import agent_views, connection, printing

    wanted = pb.DirectiveState.Value(f"DIRECTIVE_STATE_{'UNSPECIFIED' if state is None else state.name}")

    found = connection.listed(
        how, lambda client: client.iter_directives(state=wanted, agent_id=agent, incident_id=incident), limit
    )
    printer = printing.Printer(how)
    printer.many(found, lambda: agent_views.directives(printer, found))


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise BadUsage(f"{text!r}: give NAME=VALUE")
    return name, value


def _parameters(pairs: list[str]) -> directives.Parameters:
    """By what they look like: true and false are flags, numbers are numbers, all else is text."""
    texts: dict[str, str] = {}
    numbers: dict[str, float] = {}
    flags: dict[str, bool] = {}
    for name, value in map(_pair, pairs):
        if value in ("true", "false"):
            flags[name] = value == "true"
            continue
        try:
            numbers[name] = float(value)
        except ValueError:
            texts[name] = value
    return directives.Parameters(texts, numbers, flags)

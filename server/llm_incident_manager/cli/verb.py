"""`incident …`: the verbs that open and move an incident or add to it."""

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import failures, incident, options
from llm_incident_manager.cli.incident import IncidentId
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.cli.terminal import safe
from llm_incident_manager.domain.incident import ResolutionMethod

if TYPE_CHECKING:
    from llm_incident_client import IncidentClient, pb

app = incident.app  # a verb is a command of the same group

Actor = Annotated[str, typer.Option("--actor", help="Who does it, if not the caller.", envvar=options.ACTOR_VARIABLE)]
Etag = Annotated[str, typer.Option("--etag", help="Refuse if the incident is not at this etag any more.")]
Why = Annotated[str, typer.Option("--reason", help="Why.")]
Label = Annotated[list[str] | None, typer.Option("--label", help="May be given often.", metavar="KEY=VALUE")]


def _move(how: Invocation, work: "Callable[[IncidentClient], Awaitable[pb.Incident]]") -> None:
    from llm_incident_manager.cli import connection, printing

    moved = connection.call(how, work)
    printing.Printer(how).one(moved, lambda: print(printing.line(moved)))


@options.command(app, "ack")
def acknowledge(how: Invocation, incident_id: IncidentId, actor: Actor = "", etag: Etag = "") -> None:
    """Take a NEW incident."""
    _move(how, lambda client: client.acknowledge(incident_id, actor=how.actor(actor), etag=etag))


@options.command(app, "start")
def start(how: Invocation, incident_id: IncidentId, actor: Actor = "", etag: Etag = "") -> None:
    """Begin to work on an incident."""
    _move(how, lambda client: client.start_work(incident_id, actor=how.actor(actor), etag=etag))


@options.command(app, "escalate")
def escalate(how: Invocation, incident_id: IncidentId, reason: Why = "", actor: Actor = "", etag: Etag = "") -> None:
    """Involve a higher tier."""
    _move(how, lambda client: client.escalate(incident_id, reason=reason, actor=how.actor(actor), etag=etag))


@options.command(app, "de-escalate")
def de_escalate(how: Invocation, incident_id: IncidentId, reason: Why = "", actor: Actor = "", etag: Etag = "") -> None:
    """Give an ESCALATED incident back to its responders."""
    _move(how, lambda client: client.de_escalate(incident_id, reason=reason, actor=how.actor(actor), etag=etag))


@options.command(app, "resolve")
def resolve(
    how: Invocation,
    incident_id: IncidentId,
    *,
    notes: Annotated[str, typer.Option("--notes", help="What was done.")] = "",
    root_cause: Annotated[str, typer.Option("--root-cause", help="What had caused it.")] = "",
    method: Annotated[ResolutionMethod, typer.Option("--method", case_sensitive=False)] = ResolutionMethod.MANUAL,
    force: Annotated[bool, typer.Option("--force", help="Even if nobody has taken it.")] = False,
    actor: Annotated[
        str, typer.Option("--actor", "--resolved-by", help="Who did, if not the caller.", envvar=options.ACTOR_VARIABLE)
    ] = "",
    etag: Etag = "",
) -> None:
    """End an incident."""
    from llm_incident_client import pb

    number = pb.ResolutionMethod.Value(f"RESOLUTION_METHOD_{method}")
    _move(
        how,
        lambda client: client.resolve(
            incident_id,
            resolved_by=how.actor(actor),
            method=number,
            notes=notes,
            root_cause=root_cause,
            force=force,
            etag=etag,
        ),
    )


@options.command(app, "close")
def close(how: Invocation, incident_id: IncidentId, actor: Actor = "", etag: Etag = "") -> None:
    """File a RESOLVED incident."""
    _move(how, lambda client: client.close(incident_id, actor=how.actor(actor), etag=etag))


@options.command(app, "reopen")
def reopen(how: Invocation, incident_id: IncidentId, reason: Why = "", actor: Actor = "", etag: Etag = "") -> None:
    """Bring a RESOLVED or CLOSED incident back."""
    _move(how, lambda client: client.reopen(incident_id, reason=reason, actor=how.actor(actor), etag=etag))


@options.command(app, "assign")
def assign(
    how: Invocation,
    incident_id: IncidentId,
    assignees: Annotated[list[str] | None, typer.Argument(help="Who is on it from now on; nobody when empty.")] = None,
    actor: Actor = "",
    etag: Etag = "",
) -> None:
    """Replace the people on an incident."""
    _move(how, lambda client: client.assign(incident_id, assignees or (), actor=how.actor(actor), etag=etag))


@options.command(app, "note")
def note(
    how: Invocation,
    incident_id: IncidentId,
    text: Annotated[str, typer.Argument(help="The note; - reads it from standard input.")],
    actor: Actor = "",
) -> None:
    """Add a note."""
    from llm_incident_manager.cli import connection, printing

    words = sys.stdin.read() if text == "-" else text
    entry = connection.call(how, lambda client: client.add_note(incident_id, words, actor=how.actor(actor)))
    printer = printing.Printer(how)
    printer.one(entry, lambda: print(f"noted {printer.moment(entry.time)} by {safe(entry.actor)}"))


@options.command(app, "create")
def create(  # noqa: PLR0913 - one option a field
    how: Invocation,
    *,
    title: Annotated[str, typer.Option("--title", help="One line for people.")],
    source: Annotated[str, typer.Option("--source", help="Who reports.")] = "cli",
    description: Annotated[str, typer.Option("--description")] = "",
    severity: Annotated[str, typer.Option("--severity", help="P0 to P4; judged by the rules when not given.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="For instance provider_outage.")] = "",
    service: Annotated[str, typer.Option("--service")] = "",
    provider: Annotated[str, typer.Option("--provider")] = "",
    dedup_key: Annotated[str, typer.Option("--dedup-key", help="Names the problem.")] = "",
    assignees: Annotated[list[str] | None, typer.Option("--assignee", help="May be given often.")] = None,
    labels: Label = None,
) -> None:
    """Open an incident by hand."""
    from llm_incident_client import pb

    word = f"SEVERITY_{severity.upper() or 'UNSPECIFIED'}"
    if word not in pb.Severity.keys():  # noqa: SIM118 - an enum wrapper is no mapping
        raise failures.BadUsage(f"--severity {severity!r} is none of P0, P1, P2, P3, P4")
    _move(
        how,
        lambda client: client.create_incident(
            source,
            title,
            description=description,
            severity=pb.Severity.Value(word),
            kind=kind,
            service=service,
            provider=provider,
            dedup_key=dedup_key,
            assignees=assignees or (),
            labels=pairs(labels, "--label"),
        ),
    )


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """KEY=VALUE words as a mapping."""
    found = {}
    for word in given or ():
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise failures.BadUsage(f"{option} {word!r} is not KEY=VALUE")
        found[key] = value
    return found

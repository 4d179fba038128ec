"""`incident …`: the verbs that open and move an incident or add to it."""

import sys
from typing import Annotated

import typer

from llm_incident_manager.cli import aim, failures, options
from llm_incident_manager.cli.aim import Actor, Deed
from llm_incident_manager.cli.incident import IncidentId
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.cli.terminal import safe
from llm_incident_manager.domain.incident import ResolutionMethod

app = aim.app

Why = Annotated[str, typer.Option("--reason", help="Why.")]
Label = Annotated[list[str] | None, typer.Option("--label", help="May be given often.", metavar="KEY=VALUE")]


@aim.verb("ack")
def acknowledge() -> Deed:
    """Take a NEW incident, or with --filter all that match."""
    from llm_incident_client import pb

    return Deed(lambda on: on.client.acknowledge(on.incident_id, actor=on.actor, etag=on.etag), pb.ApplyAcknowledge())


@aim.verb("start")
def start() -> Deed:
    """Begin to work on an incident, or with --filter on all that match."""
    from llm_incident_client import pb

    return Deed(lambda on: on.client.start_work(on.incident_id, actor=on.actor, etag=on.etag), pb.ApplyStartWork())


@aim.verb("escalate")
def escalate(reason: Why = "") -> Deed:
    """Involve a higher tier."""
    from llm_incident_client import pb

    return Deed(
        lambda on: on.client.escalate(on.incident_id, reason=reason, actor=on.actor, etag=on.etag),
        pb.ApplyEscalate(reason=reason),
    )


@aim.verb("de-escalate")
def de_escalate(reason: Why = "") -> Deed:
    """Give ESCALATED incidents back to their responders."""
    from llm_incident_client import pb

    return Deed(
        lambda on: on.client.de_escalate(on.incident_id, reason=reason, actor=on.actor, etag=on.etag),
        pb.ApplyDeEscalate(reason=reason),
    )


@aim.verb("resolve")
def resolve(
    notes: Annotated[str, typer.Option("--notes", help="What was done.")] = "",
    root_cause: Annotated[str, typer.Option("--root-cause", help="What had caused it.")] = "",
    method: Annotated[ResolutionMethod, typer.Option("--method", case_sensitive=False)] = ResolutionMethod.MANUAL,
    force: Annotated[bool, typer.Option("--force", help="Even if nobody has taken it.")] = False,
) -> Deed:
    """End an incident, or with --filter all that match."""
    from llm_incident_client import pb

    number = pb.ResolutionMethod.Value(f"RESOLUTION_METHOD_{method}")
    words = pb.ApplyResolve(method=number, notes=notes, root_cause=root_cause, force=force)
    return Deed(
        lambda on: on.client.resolve(
            on.incident_id,
            resolved_by=on.actor,
            method=number,
            notes=notes,
            root_cause=root_cause,
            force=force,
            etag=on.etag,
        ),
        words,
    )


@aim.verb("close")
def close() -> Deed:
    """File a RESOLVED incident, or with --filter all that match."""
    from llm_incident_client import pb

    return Deed(lambda on: on.client.close(on.incident_id, actor=on.actor, etag=on.etag), pb.ApplyClose())


@aim.verb("reopen")
def reopen(reason: Why = "") -> Deed:
    """Bring RESOLVED or CLOSED incidents back."""
    from llm_incident_client import pb

    return Deed(
        lambda on: on.client.reopen(on.incident_id, reason=reason, actor=on.actor, etag=on.etag),
        pb.ApplyReopen(reason=reason),
    )


@aim.verb("assign")
def assign(words: list[str]) -> Deed:
    """Replace the people on an incident, or with --filter on all that match; nobody when none are named."""
    from llm_incident_client import pb

    return Deed(
        lambda on: on.client.assign(on.incident_id, words, actor=on.actor, etag=on.etag),
        pb.ApplyAssign(assignees=words),
    )


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
    from llm_incident_manager.cli import connection, printing

    word = f"SEVERITY_{severity.upper() or 'UNSPECIFIED'}"
    if word not in pb.Severity.keys():  # noqa: SIM118 - an enum wrapper is no mapping
        raise failures.BadUsage(f"--severity {severity!r} is none of P0, P1, P2, P3, P4")
    opened = connection.call(
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
    printing.Printer(how).one(opened, lambda: print(printing.line(opened)))


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """KEY=VALUE words as a mapping."""
    found = {}
    for word in given or ():
        key, sign, value = word.partition("=")
        if not sign or not key:
            raise failures.BadUsage(f"{option} {word!r} is not KEY=VALUE")
        found[key] = value
    return found

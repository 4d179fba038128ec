"""`event …`: reporting by hand or from a script."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import failures, options
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.cli.verb import Label, pairs
from llm_incident_manager.domain.event import Action

if TYPE_CHECKING:
    from llm_incident_client import pb

app = typer.Typer(no_args_is_help=True, help="Report events, and ask what became of them.")

EventId = Annotated[str, typer.Argument(help="Id of the event, as `event send` printed it.", metavar="EVENT")]


def _text(name: str, what: str = "") -> object:
    return typer.Option(f"--{name}", help=what, rich_help_panel="Fields of the event")


@options.command(app, "send")
def send(  # noqa: PLR0913 - one option a field
    how: Invocation,
    *,
    file: Annotated[
        str, typer.Option("--file", "-f", help="JSON of the event, - for standard input; options win.")
    ] = "",
    action: Annotated[Action | None, typer.Option("--action", case_sensitive=False)] = None,
    source: Annotated[str, _text("source", "Who reports; cli when not given.")] = "",
    title: Annotated[str, _text("title", "One line for people.")] = "",
    description: Annotated[str, _text("description")] = "",
    severity: Annotated[str, _text("severity", "In any words: P0, critical, SEV2, warning, …")] = "",
    kind: Annotated[str, _text("kind", "For instance prompt_injection.direct.")] = "",
    event_time: Annotated[str, _text("event-time", "RFC 3339; now when not given.")] = "",
    idempotency_key: Annotated[str, _text("idempotency-key", "Names this very event.")] = "",
    dedup_key: Annotated[str, _text("dedup-key", "Names the problem.")] = "",
    service: Annotated[str, _text("service")] = "",
    affected_services: Annotated[list[str] | None, _text("affected-service", "May be given often.")] = None,
    environment: Annotated[str, _text("environment")] = "",
    application: Annotated[str, _text("application")] = "",
    provider: Annotated[str, _text("provider")] = "",
    model_requested: Annotated[str, _text("model", "The model as asked for.")] = "",
    error_class: Annotated[str, _text("error-class")] = "",
    labels: Label = None,
    attributes: Annotated[
        list[str] | None, typer.Option("--attribute", help="A fact, for instance tool_executed.", metavar="NAME[=BOOL]")
    ] = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="A measured value.", metavar="NAME=NUMBER")
    ] = None,
) -> None:
    """Report one event and tell what became of it."""
    given = {name: value for name, value in locals().items() if name not in {"how", "file"} and value}
    given |= maps(labels, attributes, metrics)
    submit(how, given, _read(file))


def maps(labels: list[str] | None, attributes: list[str] | None, metrics: list[str] | None) -> dict[str, object]:
    """The maps of an event that were given. Raises BadUsage."""
    found: dict[str, object] = {
        "labels": pairs(labels, "--label"),
        "attributes": {key: _flag(value) for key, value in _facts(attributes).items()},
        "metrics": {key: _number(key, value) for key, value in pairs(metrics, "--metric").items()},
    }
    return {name: value for name, value in found.items() if value}


def _facts(given: list[str] | None) -> dict[str, str]:
    return pairs([word if "=" in word else f"{word}=true" for word in given or ()], "--attribute")


def _flag(word: str) -> bool:
    if word.lower() not in {"true", "false", "yes", "no", "1", "0"}:
        raise failures.BadUsage(f"--attribute value {word!r} is neither true nor false")
    return word.lower() in {"true", "yes", "1"}


def _number(name: str, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise failures.BadUsage(f"--metric {name}={word!r} is not a number") from None


def _read(file: str) -> bytes:
    if not file:
        return b"{}"
    return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()


def submit(how: Invocation, given: dict[str, object], raw: bytes) -> None:
    """Sends the event of a JSON text with some fields replaced, and prints the answer."""
    from llm_incident_manager.cli import connection, printing, views

    event = merged(given, raw)
    answer = connection.call(how, lambda client: client.submit_event(event))
    printing.Printer(how).one(answer, lambda: views.submitted(answer))


@options.command(app, "show")
def show(how: Invocation, event_id: EventId) -> None:
    """Show a stored event and what became of it."""
    from llm_incident_manager.cli import connection, printing, views

    record = connection.call(how, lambda client: client.get_event(event_id))
    printer = printing.Printer(how)
    printer.one(record, lambda: views.event(printer, record))


@options.command(app, "explain")
def explain(how: Invocation, event_id: EventId) -> None:
    """Tell an event's whole way: how it was identified and judged, what became of it, what was sent, and why."""
    from llm_incident_manager.cli import connection, printing, views

    answer = connection.call(how, lambda client: client.explain_event(event_id))
    printer = printing.Printer(how)
    printer.one(answer, lambda: views.explained(printer, answer))


def merged(given: dict[str, object], raw: bytes) -> "pb.Event":
    """The event of a JSON text with some fields replaced. Raises InvalidFields."""
    from llm_incident_client import pb
    from llm_incident_manager.transport.rest import jsoncodec

    codec = jsoncodec.codec(pb.Event.DESCRIPTOR)
    event = codec.loads(raw)
    assert isinstance(event, pb.Event)
    if "affected_services" in given:
        event.ClearField("affected_services")  # merging would append
    event.MergeFrom(_event(given))
    event.source = event.source or "cli"
    return event


def _event(given: dict[str, object]) -> "pb.Event":
    import json

    from llm_incident_client import pb
    from llm_incident_manager.transport.rest import jsoncodec

    event = jsoncodec.codec(pb.Event.DESCRIPTOR).loads(json.dumps(given).encode())
    assert isinstance(event, pb.Event)
    return event

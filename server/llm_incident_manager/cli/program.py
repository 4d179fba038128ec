"""The command `llm-incident-manager`: puts the groups of commands together."""

from typing import Annotated

import typer

import llm_incident_manager
from llm_incident_manager.cli import backup, event, options, replay, service, verb

app = typer.Typer(
    name="llm-incident-manager",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turns the events of LLM services into incidents, and lets people handle them.",
)
app.add_typer(service.config, name="config")
app.add_typer(event.app, name="event")
app.add_typer(verb.app, name="incident")
service.add_to(app)
backup.add_to(app)
replay.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        print(llm_incident_manager.__version__)
        raise typer.Exit


@app.callback()
def everything(
    context: typer.Context,
    address: Annotated[
        str, typer.Option("--address", help="gRPC address of the server.", envvar=options.ADDRESS_VARIABLE)
    ] = options.DEFAULT_ADDRESS,
    as_json: options.AsJson = False,
    patience: options.Patience = None,
    _: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)] = False,
) -> None:
    """Options before the command hold for it unless it has its own."""
    context.obj = options.Invocation(address, as_json, patience)


def main() -> None:
    """Runs the command line on this process's arguments."""
    app(prog_name="llm-incident-manager")

"""The command `llm-incident-manager`: puts the groups of commands together."""

import inspect
from typing import Annotated, Any

import typer

import llm_incident_manager
from llm_incident_manager.cli import (
    access_roles,
    agents,
    analyses,
    analytics,
    audit,
    backup,
    bus,
    certs,
    completion,
    compliance,
    contexts,
    denials,
    event,
    fingerprints,
    init,
    keys,
    ledger,
    login,
    options,
    processes,
    replay,
    service,
    tenants,
    whoami,
)

app = typer.Typer(
    name="llm-incident-manager",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Turns the events of LLM services into incidents, and lets people handle them.",
)
app.add_typer(service.config, name="config")
app.add_typer(contexts.app, name="context")
app.add_typer(event.app, name="event")
app.add_typer(analyses.app, name="incident")
app.add_typer(ledger.app, name="ledger")
app.add_typer(bus.app, name="bus")
app.add_typer(agents.app, name="agent")
app.add_typer(keys.app, name="keys")
app.add_typer(access_roles.app, name="roles")
app.add_typer(tenants.app, name="tenants")
denials.add_to(certs.app)
app.add_typer(certs.app, name="certs")
whoami.add_to(app)
app.add_typer(audit.app, name="audit")
app.add_typer(analytics.app, name="analytics")
app.add_typer(compliance.app, name="compliance")
init.add_to(app)
service.add_to(app)
backup.add_to(app)
processes.add_to(app)
login.add_to(app)
replay.add_to(app)
fingerprints.add_to(app)
completion.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        print(llm_incident_manager.__version__)
        raise typer.Exit


def _everything(context: typer.Context, **arguments: Any) -> None:  # noqa: ANN401 - typed by the options
    """Options before the command hold for it unless it has its own."""
    del arguments["version"]
    context.obj = options.Given(**arguments)


_VERSION = inspect.Parameter(
    "version",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_version)],
)
options.takes_shared(_everything, [_VERSION])
app.callback()(_everything)


def main() -> None:
    """Runs the command line on this process's arguments."""
    app(prog_name="llm-incident-manager")

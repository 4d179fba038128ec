"""`serve`, `migrate` and `config …`: what is done on the machine of the server, without a server to talk to."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import failures, options
from llm_incident_manager.cli.failures import Exit
from llm_incident_manager.domain.phases import Phase

if TYPE_CHECKING:
    from llm_incident_manager.config import Settings

config = typer.Typer(no_args_is_help=True, help="Look at the configuration without starting anything.")

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Configuration file; otherwise CONFIG_PATH or ./config.yaml.")
]

Roles = Annotated[
    str | None,
    typer.Option(
        "--roles",
        help="What this process does: some of api, classify, route, notify, act, with commas. All unless given.",
    ),
]

Workers = Annotated[
    str | None,
    typer.Option("--workers", metavar="N", help="Processes that share the ports and the work (PostgreSQL only)."),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(app: typer.Typer) -> None:
    """Registers `serve` and `migrate`."""
    app.command("serve")(serve)
    app.command("migrate")(migrate)


def serve(
    config_file: ConfigFile = None,
    roles: Roles = None,
    workers: Workers = None,
    worker: Annotated[int | None, typer.Option("--worker", hidden=True)] = None,
    beside: Annotated[Path | None, typer.Option("--beside", hidden=True)] = None,
) -> None:
    """Run the server until it is told to stop (SIGTERM, SIGINT)."""
    given = {"roles": roles, "workers": workers}
    settings = load(config_file, **given)
    if worker is None and settings.workers > 1:
        from llm_incident_manager import workers as several

        options = [f"--{name}={value}" for name, value in {"config": config_file, **given}.items() if value is not None]
        raise typer.Exit(several.run(settings, options))
    from llm_incident_manager.transport.rpc import environment

    environment.prepare(tls=settings.tls.on, least=settings.tls.minimum_version)
    from llm_incident_manager import app
    from llm_incident_manager.transport.listening import Place

    raise typer.Exit(app.run(settings, None if worker is None or beside is None else Place(worker, beside)))


def migrate(
    config_file: ConfigFile = None,
    phase: Annotated[
        Phase,
        typer.Option(help="pre: what may run beside servers of the version before; post: what may not; all: both."),
    ] = Phase.ALL,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only name what would be done.")] = False,
) -> None:
    """Bring the database's schema up to date."""
    settings = load(config_file)
    from llm_incident_manager import app
    from llm_incident_manager.domain.errors import StoreUnavailable
    from llm_incident_manager.ports.stores import StoreRefused

    with failures.reported():
        try:
            names = app.migrate(settings, phase=phase, dry_run=dry_run)
        except (StoreRefused, StoreUnavailable) as refused:
            print(f"error: {refused}", file=sys.stderr)
            raise typer.Exit(Exit.FAILED) from None
    for name in names:
        print(f"{'would apply' if dry_run else 'applied'} {name}")
    if not names:
        of = "" if phase is Phase.ALL else f" as far as --phase {phase} goes"
        print(f"the schema is up to date{of}")


@config.command("check")
def check(config_file: ConfigFile = None) -> None:
    """Tell whether the server would start with this configuration."""
    settings = load(config_file)
    for key in settings.not_in_effect():
        print(f"note: {key} has no effect in this release", file=sys.stderr)
    _check_files(settings)
    print("the configuration is valid")


def _check_files(settings: "Settings") -> None:
    """Exit code 2 unless the files of TLS are good."""
    from llm_incident_manager import securing
    from llm_incident_manager.ports.credentials import BadCredentials

    try:
        securing.check_files(settings)
    except BadCredentials as bad:
        print(f"error: the configuration is not valid\n{bad}", file=sys.stderr)
        raise typer.Exit(Exit.USAGE) from None


@config.command("show")
def show(config_file: ConfigFile = None, as_json: AsJson = False) -> None:
    """Print every setting as it takes effect, without secrets."""
    settings = load(config_file).masked()
    if as_json:
        print(json.dumps(settings))
        return
    for section, values in settings.items():
        if isinstance(values, dict):
            print(f"{section}:")
            for key, value in values.items():
                print(f"  {key}: {json.dumps(value, ensure_ascii=False)}")
        else:
            print(f"{section}: {json.dumps(values, ensure_ascii=False)}")


def load(config_file: Path | None, **given: str | None) -> "Settings":
    """The settings, or exit code 2 with every problem on a line of its own. Options that are given win."""
    from llm_incident_manager import config as configuration

    environment = {name: value for name, value in os.environ.items() if name not in options.VARIABLES}
    try:
        wins = {name: text for name, text in given.items() if text is not None}
        return configuration.load(environment, config_file, wins)
    except configuration.ConfigError as wrong:
        print(f"error: the configuration is not valid\n{wrong}", file=sys.stderr)
        raise typer.Exit(Exit.USAGE) from None

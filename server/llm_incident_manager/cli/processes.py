"""`processes`: who works on the database, in which roles and versions, and which work nobody does."""

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import failures, service
from llm_incident_manager.cli.failures import Exit
from llm_incident_manager.cli.ledger import Form
from llm_incident_manager.cli.terminal import safe

if TYPE_CHECKING:
    from llm_incident_manager.ports.processes import Seen

_HEAD = ("INSTANCE", "RUN", "ROLES", "VERSION", "STARTED", "SEEN", "")


def add_to(app: typer.Typer) -> None:
    """Registers `processes`."""
    app.command("processes")(processes)


def processes(
    config_file: service.ConfigFile = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="How to print.", case_sensitive=False)] = Form.TABLE,
    as_json: service.AsJson = False,
) -> None:
    """List the processes that work on the database, with their roles and versions.

    Reads the database of the settings (PostgreSQL); exit code 1 means that nobody does some of the work.
    """
    from llm_incident_manager.adapters import databases
    from llm_incident_manager.pipeline import presence
    from llm_incident_manager.ports.stores import StoreRefused

    settings = service.load(config_file)
    lease = settings.processes.lease_secs
    with failures.reported():
        try:
            seen = databases.processes(settings)
        except StoreRefused as refused:
            print(f"error: {refused}", file=sys.stderr)
            raise typer.Exit(Exit.FAILED) from None
    documents = [_document(each, alive=bool(presence.living([each], lease))) for each in seen]
    if as_json or output is Form.JSON:
        print(json.dumps(documents))
    else:
        _print_table([_HEAD, *map(_row, documents)])
    if missing := presence.unattended(seen, lease):
        print(f"no living process has {', '.join(missing)}: that work waits", file=sys.stderr)
        raise typer.Exit(Exit.FAILED)


def _document(seen: "Seen", *, alive: bool) -> dict[str, object]:
    from llm_incident_manager.domain.time import SECOND, rfc3339

    instance, _, run = seen.process.owner.rpartition("/")
    return {
        "instance": instance,
        "run": run,
        "roles": list(seen.process.roles),
        "version": seen.process.version,
        "started": rfc3339(seen.process.started_at),
        "silent_for_seconds": round(seen.silent_for / SECOND, 1),
        "alive": alive,
    }


def _row(document: dict[str, object]) -> tuple[str, ...]:
    roles, alive = document["roles"], document["alive"]
    assert isinstance(roles, list)
    return (
        safe(str(document["instance"])),
        str(document["run"]),
        ",".join(roles),
        str(document["version"]),
        str(document["started"]),
        f"{document['silent_for_seconds']} s ago",
        "" if alive else "SILENT",
    )


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    for line in _aligned(rows):
        print(line)


def _aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

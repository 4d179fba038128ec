"""`backup`, `backup verify` and `restore`: done on the machine that reaches the database, with or without a server."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import failures, service
from llm_incident_manager.cli.failures import BadUsage, Exit

if TYPE_CHECKING:
    from llm_incident_manager.adapters.sql.verifying import Verified

_VERIFY = "verify"


def add_to(app: typer.Typer) -> None:
    """Registers `backup` and `restore`."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    what: Annotated[str, typer.Argument(metavar="FILE | verify FILE", help="A new file, or a backup to verify.")],
    file: Annotated[Path | None, typer.Argument(hidden=True)] = None,
    config_file: service.ConfigFile = None,
    as_json: service.AsJson = False,
) -> None:
    """Back the database up into one file, verified, while servers go on using it; or verify such a file."""
    from llm_incident_manager.adapters import databases
    from llm_incident_manager.adapters.clock import SystemClock

    if file is not None:
        if what != _VERIFY:
            _told(lambda: _wrong(f"unexpected {file}: write `backup FILE` or `backup verify FILE`"))
        _tell(_told(lambda: databases.verify_backup(file)), f"{file} is whole", as_json=as_json)
        return
    settings = service.load(config_file)
    done = _told(lambda: databases.backup(settings, Path(what), SystemClock().now()))
    _tell(done, f"backed up into {what}, verified", as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup of either database.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the records that are there.")] = False,
    config_file: service.ConfigFile = None,
    as_json: service.AsJson = False,
) -> None:
    """Make the database anew from a backup, wholly or not at all; no server may use it meanwhile."""
    from llm_incident_manager.adapters import databases
    from llm_incident_manager.adapters.clock import SystemClock

    settings = service.load(config_file)
    done = _told(lambda: databases.restore(settings, file, SystemClock().now(), force=force))
    _tell(done, f"restored from {file}, verified", as_json=as_json)


def _told(work: "Callable[[], Verified]") -> "Verified":
    from llm_incident_manager.ports.stores import StoreRefused

    with failures.reported():
        try:
            return work()
        except StoreRefused as refused:
            print(f"error: {refused}", file=sys.stderr)
            raise typer.Exit(Exit.FAILED) from None
    raise AssertionError("what is reported ends the command")


def _wrong(message: str) -> "Verified":
    raise BadUsage(message)


def _tell(done: "Verified", sentence: str, *, as_json: bool) -> None:
    manifest, facts = done.manifest, done.manifest.facts
    if as_json:
        told = {
            "store": facts.store,
            "created_at": facts.created_at,
            "program": facts.program,
            "schema": manifest.schema,
            "feed": {"transaction": facts.feed_transaction, "sequence": facts.feed_sequence},
            "audit_chains": done.chains,
            "rows": {name: table.rows for name, table in sorted(manifest.tables.items())},
        }
        print(json.dumps(told))
        return
    print(
        f"{sentence}: {manifest.rows('event'):,} events, {manifest.rows('incident'):,} incidents, "
        f"{manifest.rows('audit'):,} audit records in {done.chains:,} unbroken chains"
    )
    position = f"change {facts.feed_sequence}" + (
        f" of transaction {facts.feed_transaction}" if facts.feed_transaction else ""
    )
    print(f"taken of {facts.store} at {facts.created_at}, schema {manifest.schema:04d}, up to {position}")

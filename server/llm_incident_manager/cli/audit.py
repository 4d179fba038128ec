"""`audit list|verify|export`: the audit trail, and the proof that nobody has changed it, with or without a server."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import look, options
from llm_incident_manager.cli.failures import BadUsage, Exit
from llm_incident_manager.cli.options import Invocation

if TYPE_CHECKING:
    from llm_incident_client import IncidentClient, pb
    from llm_incident_manager.adapters.audit.proofs import Evidence
    from llm_incident_manager.cli.printing import Printer
    from llm_incident_manager.domain.audit_proof import Report
    from llm_incident_manager.domain.ids import TenantId

app = typer.Typer(no_args_is_help=True, help="The audit trail: who did what, and the proof of it.")

_OFFLINE = "Without a server"
_VERIFY_SECONDS = 600.0
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]
Since = Annotated[datetime | None, typer.Option("--since", help="Only from then on.", formats=_FORMATS)]


@options.command(app, "list")
def list_records(  # one argument an option
    how: Invocation,
    *,
    actor: Annotated[str, typer.Option("--actor", help="Only of this actor.")] = "",
    action: Annotated[str, typer.Option("--action", help="Only this one; `incident.` means all of them.")] = "",
    resource: Annotated[str, typer.Option("--resource", help="Only to this one, such as incident/ID.")] = "",
    since: Since = None,
    until: Annotated[datetime | None, typer.Option("--until", help="Only before then.", formats=_FORMATS)] = None,
    limit: Annotated[int, typer.Option("--limit", help="How many at most; 0 for all.", min=0)] = 50,
) -> None:
    """List audit records, newest first."""
    from llm_incident_manager.cli import connection, printing

    found = connection.listed(
        how,
        lambda client: client.iter_audit_records(
            actor=actor,
            action=action,
            resource=resource,
            start_time=_aware(how, since),
            end_time=_aware(how, until),
            page_size=min(limit or 1000, 1000),
        ),
        limit,
    )
    printer = printing.Printer(how)
    printer.many(found, lambda: _records(printer, found))


@options.command(app, "export")
def export(
    how: Invocation,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file; standard output without.")] = None,
    *,
    since: Since = None,
) -> None:
    """Export the trail as JSON lines, which `audit verify --file` proves without a server."""
    from llm_incident_manager.cli import connection, private

    if file is not None and file.exists():
        raise BadUsage(f"{file} exists already: remove it, or name another file")

    async def work(client: "IncidentClient") -> int:
        lines = 0
        target = sys.stdout.buffer if file is None else private.new_file(file)  # nothing else runs here
        try:
            async for chunk in client.export_audit(start_time=_aware(how, since)):
                target.write(chunk)
                lines += chunk.count(b"\n")
        finally:
            target.flush()
            if file is not None:
                target.close()
        return lines

    lines = connection.call(how, work)
    if file is not None:
        print(f"exported {lines:,} lines into {file}; prove it with: audit verify --file {file}")


@options.command(app, "verify")
def verify(  # one argument an option
    how: Invocation,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", help="An export instead of a server.", rich_help_panel=_OFFLINE)
    ] = None,
    backup: Annotated[
        Path | None, typer.Option("--backup", help="A backup instead of a server.", rich_help_panel=_OFFLINE)
    ] = None,
    database: Annotated[
        bool, typer.Option("--database", help="The database of the settings itself.", rich_help_panel=_OFFLINE)
    ] = False,
    config_file: Annotated[
        Path | None, typer.Option("--config", help="The settings, for --database.", rich_help_panel=_OFFLINE)
    ] = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option("--checkpoints", help="Checkpoints that were kept elsewhere.", rich_help_panel=_OFFLINE),
    ] = None,
    public_key: Annotated[
        list[Path] | None,
        typer.Option("--public-key", help="A key that signs; may be repeated.", rich_help_panel=_OFFLINE),
    ] = None,
) -> None:
    """Prove that the trail is as it was written, or name the first record that is not (exit code 1).

    Asks the server for the caller's tenant, or looks itself: at an export, a backup, or the database with all tenants.
    """
    if [file is not None, backup is not None, database].count(True) > 1:
        raise BadUsage("--file, --backup and --database are different things to look at: give one of them")
    if file is None and backup is None and not database:
        if checkpoints is not None or public_key:
            raise BadUsage(
                "--checkpoints and --public-key are for --file, --backup or --database: the server has its own"
            )
        _ask_server(how)
        return
    from llm_incident_manager.adapters.audit import proofs

    with _refusals():
        evidence = proofs.Evidence.of(checkpoints, public_key or [])
        reports = _looked(file, backup, config_file, evidence)
    _tell(how, reports)


@contextmanager
def _refusals() -> Iterator[None]:
    """What cannot be looked at, in words."""
    from llm_incident_manager.ports.stores import StoreRefused

    try:
        yield
    except StoreRefused as refused:
        print(f"error: {refused}", file=sys.stderr)
        raise typer.Exit(Exit.FAILED) from None


def _looked(
    file: Path | None, backup: Path | None, config_file: Path | None, evidence: "Evidence"
) -> "Mapping[TenantId, Report]":
    from llm_incident_manager.adapters import databases
    from llm_incident_manager.adapters.audit import proofs
    from llm_incident_manager.cli import service

    if file is not None:
        return proofs.of_export(file, evidence)
    kept = {checkpoint.tenant for checkpoint in evidence.exported}
    if backup is not None:
        return databases.prove_backup(backup, lambda tenant: proofs.trail_of(tenant, evidence), kept)
    settings = service.load(config_file)
    known = proofs.Evidence.of_settings(settings, evidence)
    kept = {checkpoint.tenant for checkpoint in known.exported}
    return databases.prove_audit(settings, lambda tenant: proofs.trail_of(tenant, known), kept)


def _ask_server(how: Invocation) -> None:
    from datetime import timedelta

    from llm_incident_manager.cli import connection, printing

    deadline = timedelta(seconds=how.patience or _VERIFY_SECONDS)
    found = connection.call(how, lambda client: client.verify_audit(deadline))
    printer = printing.Printer(how)
    printer.one(found, lambda: print(_answer(printer, found)))
    if not found.intact:
        raise typer.Exit(Exit.FAILED)


def _answer(printer: "Printer", found: "pb.VerifyAuditResponse") -> str:
    signed = printer.moment(found.proven_until_time) if found.HasField("proven_until_time") else ""
    fault = (found.writer, found.sequence, found.fault) if found.fault else None
    return _sentence((found.records, found.chains, found.checkpoints), fault, signed, list(found.remarks))


def _tell(how: Invocation, reports: "Mapping[TenantId, Report]") -> None:
    from llm_incident_manager.domain import time

    for tenant, report in reports.items():
        signed = "" if report.proven_until is None else time.rfc3339(report.proven_until)
        fault = None if report.fault is None else (report.fault.writer, report.fault.sequence, report.fault.what)
        if how.output is look.Output.TABLE:
            counts = (report.records, report.chains, report.checkpoints)
            print(f"tenant {tenant}: {_sentence(counts, fault, signed, report.remarks)}")
        else:
            print(json.dumps(_document(tenant, report, signed)))
    if not all(report.intact for report in reports.values()):
        raise typer.Exit(Exit.FAILED)


def _document(tenant: str, report: "Report", signed: str) -> dict[str, object]:
    fault = report.fault
    return {
        "tenant": tenant,
        "intact": report.intact,
        "records": report.records,
        "chains": report.chains,
        "checkpoints": report.checkpoints,
        "fault": "" if fault is None else fault.what,
        "writer": "" if fault is None else fault.writer,
        "sequence": 0 if fault is None else fault.sequence,
        "proven_until_time": signed or None,
        "remarks": report.remarks,
    }


def _sentence(counts: tuple[int, int, int], fault: tuple[str, int, str] | None, signed: str, remarks: list[str]) -> str:
    from llm_incident_manager.cli.terminal import safe

    records, chains, checkpoints = counts
    looked = f"{records:,} records in {chains:,} chains, {checkpoints:,} checkpoints"
    until = f"proven up to {signed}" if signed else "no checkpoint proves where it ends"
    if fault is not None:
        writer, sequence, what = fault
        told = f"NOT INTACT: record {sequence} of {safe(writer) or 'the export'}: {safe(what)} ({looked})"
    else:
        told = f"intact: {looked}, {until}"
    return "\n".join([told, *(f"  {safe(remark)}" for remark in remarks)])


def _records(printer: "Printer", found: "list[pb.AuditRecord]") -> None:
    rows = [
        (
            printer.moment(one.time),
            one.actor,
            one.proven_by + (f" {one.credential}" if one.credential else ""),
            one.source,
            one.action,
            one.resource,
            _changes(one),
        )
        for one in found
    ]
    printer.table(("TIME", "ACTOR", "PROVEN BY", "SOURCE", "ACTION", "RESOURCE", "CHANGES"), rows)


def _changes(one: "pb.AuditRecord") -> str:
    """The fields that changed, but for the revision, which always does."""
    names = [name for name in {**one.before, **one.after} if name != "revision"]
    return ", ".join(f"{name}: {one.before.get(name, '')} → {one.after.get(name, '')}" for name in sorted(names))


def _aware(how: Invocation, moment: datetime | None) -> datetime | None:
    """A time without a zone is one of the zone that is asked for."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=how.zone).astimezone(how.zone)

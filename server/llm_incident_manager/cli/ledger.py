"""`ledger check`: proves from the database itself that the events add up, with or without a server."""

import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import failures, service
from llm_incident_manager.cli.failures import Exit
from llm_incident_manager.cli.terminal import safe

if TYPE_CHECKING:
    from llm_incident_manager.adapters.sql.ledger import Finding, Report

app = typer.Typer(no_args_is_help=True, help="Prove that the ledger of events adds up.")


class Form(StrEnum):
    """How the report is printed."""

    TABLE = "table"
    JSON = "json"


@app.callback()
def _group() -> None:
    """Keeps `check` a command of its own while it is the only one."""


@app.command("check")
def check(
    config_file: service.ConfigFile = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="How to print.", case_sensitive=False)] = Form.TABLE,
    as_json: service.AsJson = False,
) -> None:
    """Check that every accepted event has one disposition, and that incidents, keys and producers agree with them.

    Reads the database of the settings, whoever uses it meanwhile; exit code 1 means that something does not add up.
    """
    from llm_incident_manager.adapters import databases
    from llm_incident_manager.adapters.clock import SystemClock
    from llm_incident_manager.ports.stores import StoreRefused

    settings = service.load(config_file)
    with failures.reported():
        try:
            report = databases.check_ledger(settings, SystemClock().now())
        except StoreRefused as refused:
            print(f"error: {refused}", file=sys.stderr)
            raise typer.Exit(Exit.FAILED) from None
        if as_json or output is Form.JSON:
            print(json.dumps(_document(report)))
        else:
            _tell(report)
        if not report.adds_up:
            raise typer.Exit(Exit.FAILED)


def _document(report: "Report") -> dict[str, object]:
    return {
        "store": report.store,
        "adds_up": report.adds_up,
        "accepted": report.accepted,
        "dispositions": report.dispositions,
        "checks": [
            {
                "name": finding.name,
                "holds": finding.holds,
                "looked_at": finding.looked_at,
                "wrong": finding.wrong,
                "ended_by_retention": finding.retention,
                "first": finding.first,
            }
            for finding in report.findings
        ],
    }


def _tell(report: "Report") -> None:
    terms = " + ".join(f"{count:,} {name}" for name, count in report.dispositions.items())
    print(f"accepted {report.accepted:,} = {terms or 0}")
    for finding in report.findings:
        _tell_one(finding)
    wrong = sum(1 for finding in report.findings if finding.wrong)
    print("the ledger adds up" if report.adds_up else f"the ledger does not add up, failed checks: {wrong}")


def _tell_one(finding: "Finding") -> None:
    also = f"; {finding.retention:,} incomplete because retention has passed" if finding.retention else ""
    result = f"WRONG {finding.wrong:,} of {finding.looked_at:,}" if finding.wrong else f"ok {finding.looked_at:,}"
    print(f"{finding.name}: {result}: {finding.holds}{also}")
    for offender in finding.first:
        print(f"  {safe(offender)}")
    if finding.wrong > len(finding.first):
        print(f"  and {finding.wrong - len(finding.first):,} more")

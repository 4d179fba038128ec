"""`compliance frameworks|check|report|evidence|summary`: what the records show for the controls of a framework."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import options
from llm_incident_manager.cli.failures import BadUsage, Exit
from llm_incident_manager.cli.options import Invocation

if TYPE_CHECKING:
    from llm_incident_client import pb
    from llm_incident_manager.cli.printing import Printer

app = typer.Typer(
    no_args_is_help=True, help="What the records show for the controls of a framework. No legal advice, no certificate."
)

_SECONDS = 60.0


class Format(StrEnum):
    """What a report is written as."""

    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"
    HTML = "html"


Framework = Annotated[str, typer.Argument(metavar="FRAMEWORK", help="gdpr, hipaa, soc2, pci_dss or iso27001.")]
Filter = Annotated[str, typer.Option("--filter", help="Only these incidents, such as 'labels.team = payments'.")]
Start = Annotated[str, typer.Option("--start", help="Opened on or after this date or time; 30 days before the end.")]
End = Annotated[str, typer.Option("--end", help="Opened up to and including this date or time; now.")]


@options.command(app, "frameworks")
def frameworks(
    how: Invocation,
    framework: Annotated[str, typer.Argument(metavar="[FRAMEWORK]", help="Only this one, with its controls.")] = "",
) -> None:
    """List the frameworks, or the controls of one and what counts as evidence for them."""
    from llm_incident_manager.cli import connection, printing

    answer = connection.call(how, lambda client: client.list_frameworks(framework))
    printer = printing.Printer(how)
    printer.many(list(answer.frameworks), lambda: _frameworks(printer, answer, whole=bool(framework)))


@options.command(app, "check")
def check(how: Invocation, framework: Framework, *, start: Start = "", end: End = "", filter_text: Filter = "") -> None:
    """Hold the incidents of a period, and the system, against a framework (exit code 1 when a line has failed)."""
    from llm_incident_client import pb
    from llm_incident_manager.cli import connection, printing

    report = connection.call(
        how,
        lambda client: client.check_compliance(
            framework, start=start, end=end, filter=filter_text, deadline=_deadline(how)
        ),
    )
    printer = printing.Printer(how)
    printer.one(report, lambda: _report(printer, report))
    if report.status == pb.ComplianceStatus.COMPLIANCE_STATUS_FAILED:
        raise typer.Exit(Exit.FAILED)


@options.command(app, "report")
def report(  # one argument an option
    how: Invocation,
    framework: Framework,
    *,
    format_: Annotated[Format, typer.Option("--format", help="What to write it as.")] = Format.MARKDOWN,
    file: Annotated[Path | None, typer.Option("--file", help="A new file; standard output without.")] = None,
    start: Start = "",
    end: End = "",
    filter_text: Filter = "",
) -> None:
    """Write the same as a document, for whoever audits."""
    from llm_incident_client import pb
    from llm_incident_manager.cli import connection

    if file is not None and file.exists():
        raise BadUsage(f"{file} exists already: remove it, or name another file")
    made = connection.call(
        how,
        lambda client: client.generate_report(
            framework,
            start=start,
            end=end,
            filter=filter_text,
            format=pb.ReportFormat.Value(f"REPORT_FORMAT_{format_.name}"),
            deadline=_deadline(how),
        ),
    )
    if file is None:
        typer.echo(made.content.encode(), nl=False)
        return
    with file.open("xb") as target:
        target.write(made.content.encode())
    print(f"wrote {file} ({made.content_type}), SHA-256 {made.sha256}")


@options.command(app, "evidence")
def evidence(
    how: Invocation,
    evidence_id: Annotated[str, typer.Argument(metavar="EVIDENCE", help="As a report names it, such as incident.ID.")],
) -> None:
    """Show the record that a line of a report names."""
    from llm_incident_manager.cli import connection, printing

    found = connection.call(how, lambda client: client.get_evidence(evidence_id))
    printer = printing.Printer(how)
    printer.one(found, lambda: print(printing.as_json(found)))


@options.command(app, "summary")
def summary(how: Invocation, *, start: Start = "", end: End = "") -> None:
    """Tell how many lines of each framework passed and failed."""
    from llm_incident_manager.cli import connection, printing

    answer = connection.call(
        how, lambda client: client.get_governance_metrics(start=start, end=end, deadline=_deadline(how))
    )
    printer = printing.Printer(how)
    printer.one(answer, lambda: _summary(printer, answer))


def _deadline(how: Invocation) -> timedelta:
    return timedelta(seconds=how.patience or _SECONDS)


def _frameworks(printer: "Printer", answer: "pb.ListFrameworksResponse", *, whole: bool) -> None:
    if not whole:
        rows = [
            (one.id, one.display_name, one.edition, one.version, str(len(one.controls))) for one in answer.frameworks
        ]
        printer.table(("ID", "NAME", "EDITION", "VERSION", "CONTROLS"), rows)
        return
    for one in answer.frameworks:
        print(f"{one.display_name} ({one.edition}, controls of {one.version})\n{one.notice}\n")
        wanted = [(control, each) for control in one.controls for each in control.requirements]
        rows = [(control.id, each.id, control.source, each.evidence, each.applies_to) for control, each in wanted]
        printer.table(("CONTROL", "REQUIREMENT", "SOURCE", "EVIDENCE", "APPLIES TO"), [tuple(row) for row in rows])


def _report(printer: "Printer", found: "pb.ComplianceReport") -> None:
    rows = [
        (
            line.control_id,
            line.requirement_id,
            _status(line.status),
            line.reason,
            line.evidence[0].id + (f" and {line.evidence_count - 1} more" if line.evidence_count > 1 else ""),
        )
        for line in found.lines
    ]
    printer.table(("CONTROL", "REQUIREMENT", "STATUS", "REASON", "EVIDENCE"), rows)
    counts = f"{found.passed_count} passed, {found.failed_count} failed, {found.not_applicable_count} not applicable"
    span = f"{printer.moment(found.start_time)} to {printer.moment(found.end_time)}"
    print(f"{found.display_name}: {_status(found.status)} ({counts}), {found.incident_count} incidents, {span}")
    print(found.notice)


def _summary(printer: "Printer", answer: "pb.GetGovernanceMetricsResponse") -> None:
    rows = [
        (
            one.framework,
            _status(one.status),
            *(str(count) for count in (one.passed_checks, one.failed_checks, one.not_applicable_checks)),
            f"{one.compliance_rate:.0%}" if one.HasField("compliance_rate") else "-",
            ", ".join(f"{count} {word}" for word, count in sorted(one.violations_by_gravity.items())),
        )
        for one in answer.frameworks
    ]
    printer.table(("FRAMEWORK", "STATUS", "PASSED", "FAILED", "NOT APPLICABLE", "RATE", "FAILED BY GRAVITY"), rows)


def _status(value: "pb.ComplianceStatus.ValueType") -> str:
    from llm_incident_client import pb

    return pb.ComplianceStatus.Name(value).removeprefix("COMPLIANCE_STATUS_").replace("_", " ")

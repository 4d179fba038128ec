"""A report as CSV: one row for each line. No cell begins like a formula, whatever incidents are called."""

import csv
from collections.abc import Iterator
from io import StringIO

from llm_incident_manager.domain import time
from llm_incident_manager.domain.compliance import Line, Report

_COLUMNS = (
    *("framework", "version", "start_time", "end_time", "filter", "control_id", "requirement_id", "title", "source"),
    *("gravity", "status", "reason", "remedy", "applicable_count", "failed_count", "pending_count", "evidence_count"),
    *("evidence", "findings", "notice"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet take a cell for a formula."""


def write(report: Report) -> str:
    """The whole file."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for line in report.lines:
        writer.writerow([_cell(value) for value in _row(report, line)])
    return out.getvalue()


def _row(report: Report, line: Line) -> Iterator[str]:
    period, control = report.period, line.control
    yield from (report.framework.id, report.framework.version, time.rfc3339(period.start), time.rfc3339(period.end))
    yield from (period.filter, control.id, line.requirement.id, control.title, control.source)
    yield from (control.gravity.name, line.status, line.reason, line.requirement.remedy if line.failed else "")
    yield from map(str, (line.applicable, line.failed, line.pending, line.evidence_count))
    yield " ".join(each.id for each in line.evidence)
    yield "; ".join(f"{each.number or 'system'}: {each.reason}" for each in line.findings)
    yield report.framework.notice


def _cell(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value

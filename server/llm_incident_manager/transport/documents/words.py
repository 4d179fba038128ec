"""What all documents say of a report in the same words."""

from collections.abc import Sequence

from llm_incident_manager.domain import time
from llm_incident_manager.domain.compliance import Line, Reference, Report, Status


def title(report: Report) -> str:
    """The heading."""
    return f"Compliance report: {report.framework.name}"


def facts(report: Report) -> Sequence[tuple[str, str]]:
    """What it is about, and how it ended: names with values."""
    of, period = report.framework, report.period
    return (
        ("Framework", f"{of.id}, {of.edition}"),
        ("Controls", f"version {of.version}; the edition is in force since {of.effective_date}"),
        ("Period", f"incidents created from {time.rfc3339(period.start)} to before {time.rfc3339(period.end)}"),
        ("Filter", period.filter or "none"),
        ("Incidents that a requirement applied to", str(report.incidents)),
        ("Result", status(report.status)),
        ("Lines", ", ".join(f"{report.count(each)} {status(each)}" for each in Status)),
    )


def status(given: Status) -> str:
    """A status for people."""
    return given.lower().replace("_", " ")


def counts(line: Line) -> str:
    """How many a line is about."""
    return f"{line.applicable} applicable, {line.failed} failed, {line.pending} not due yet"


def when(reference: Reference) -> str:
    """The time of a record; empty for what has none."""
    return "" if reference.at is None else time.rfc3339(reference.at)


def unlisted(line: Line) -> str:
    """How much evidence is not listed; empty when all is."""
    more = line.evidence_count - len(line.evidence)
    return f"and {more} more" if more else ""

"""Compliance reports as documents: JSON, CSV, Markdown and HTML. The same report gives the same bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from incidentmanager.v1 import governance_service_pb2

from llm_incident_manager.domain import time
from llm_incident_manager.domain.compliance import Report
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.transport.documents import markdown, page, table
from llm_incident_manager.transport.rest import jsoncodec
from llm_incident_manager.transport.translate import compliance as translate

pb = governance_service_pb2


@dataclass(frozen=True, slots=True)
class _Format:
    content_type: str
    extension: str
    write: Callable[[Report], str]


def _json(report: Report) -> str:
    """As the check answers over HTTP."""
    message = translate.report(report)
    return jsoncodec.codec(message.DESCRIPTOR).dumps(message).decode()


_JSON = _Format("application/json", "json", _json)
_FORMATS: Mapping[int, _Format] = {
    pb.REPORT_FORMAT_UNSPECIFIED: _JSON,
    pb.REPORT_FORMAT_JSON: _JSON,
    pb.REPORT_FORMAT_CSV: _Format("text/csv; charset=utf-8", "csv", table.write),
    pb.REPORT_FORMAT_MARKDOWN: _Format("text/markdown; charset=utf-8", "md", markdown.write),
    pb.REPORT_FORMAT_HTML: _Format("text/html; charset=utf-8", "html", page.write),
}


def write(report: Report, format_: int) -> pb.GenerateReportResponse:
    """The report as a document of that format of the contract."""
    chosen = _FORMATS[format_]
    content = chosen.write(report)
    return pb.GenerateReportResponse(
        content_type=chosen.content_type,
        file_name=f"compliance-{report.framework.id}-{_days(report)}.{chosen.extension}",
        content=content,
        sha256=sha256(content.encode()).hexdigest(),
    )


def _days(report: Report) -> str:
    first, last = report.period.start, Instant(report.period.end - 1)
    return "-".join(time.to_datetime(each).strftime("%Y-%m-%d") for each in (first, last))

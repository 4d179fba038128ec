"""Reports as documents: whatever incidents are called, no cell is a formula, no text is markup, no byte by chance."""

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from incidentmanager.v1 import governance_service_pb2

from llm_incident_manager.adapters import compliance_packs
from llm_incident_manager.domain.compliance import Finding, Report, Status
from llm_incident_manager.domain.sla import TARGETS
from llm_incident_manager.engines import compliance
from llm_incident_manager.transport import documents
from llm_incident_manager.transport.documents import markdown, page, table
from tests.support.complete import LATER, PERIOD, make_case, make_system

pb = governance_service_pb2
NASTY = '=HYPERLINK("http://x")</td><script>alert(1)</script> | [x](javascript:y) `z`\n# heading'


def a_report() -> Report:
    """With a line that has failed, of which all is nasty that comes from records."""
    framework = next(each for each in compliance_packs.load() if each.id == "gdpr")
    examination = compliance.Examination(framework, PERIOD, TARGETS, LATER)
    examination.look(replace(make_case(), attachments=()))
    report = examination.finish(make_system())
    first, *rest = [line for line in report.lines if line.status is Status.FAILED]
    evidence = [each._replace(summary=NASTY) for each in first.evidence]
    nasty = replace(first, reason=NASTY, evidence=evidence, findings=[Finding(None, NASTY, NASTY)], evidence_count=105)
    return replace(report, lines=[nasty, *rest], period=report.period._replace(filter=NASTY))


def test_no_cell_of_csv_begins_like_a_formula() -> None:
    rows = list(csv.reader(io.StringIO(table.write(a_report()), newline="")))
    assert all(len(row) == len(rows[0]) for row in rows)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert "'" + NASTY in rows[1]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_every_sign_that_begins_a_formula_is_quoted(sign: str) -> None:
    report = a_report()
    line = replace(report.lines[0], reason=f"{sign}1")
    (_, row) = csv.reader(io.StringIO(table.write(replace(report, lines=[line])), newline=""))
    assert f"'{sign}1" in row


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_nothing_from_records_is_markup_in_html() -> None:
    tags = Tags()
    tags.feed(page.write(a_report()))
    assert "script" not in tags.found
    assert NASTY in "".join(tags.texts)
    assert "and 104 more" in "".join(tags.texts)


def test_nothing_from_records_is_markup_in_markdown() -> None:
    text = markdown.write(a_report())
    assert "<script" not in text.replace("\\<", "")
    assert "\n# heading" not in text
    assert "](javascript" not in text
    assert "and 104 more" in text
    assert text.count("\n# ") == 0
    assert text.startswith("# Compliance report")


@pytest.mark.parametrize("format_", pb.ReportFormat.values())
def test_the_same_report_gives_the_same_bytes_and_names_its_evidence(format_: int) -> None:
    report = a_report()
    made, again = documents.write(report, format_), documents.write(report, format_)
    assert made == again
    assert "legal" in made.content
    for line in report.lines:
        for each in line.evidence:
            assert each.id in made.content.replace("\\", "")


def test_a_document_of_each_format_is_called_what_it_is() -> None:
    names = {pb.ReportFormat.Name(each): documents.write(a_report(), each) for each in pb.ReportFormat.values()}
    assert {name: made.content_type.partition(";")[0] for name, made in names.items()} == {
        "REPORT_FORMAT_UNSPECIFIED": "application/json",
        "REPORT_FORMAT_JSON": "application/json",
        "REPORT_FORMAT_CSV": "text/csv",
        "REPORT_FORMAT_MARKDOWN": "text/markdown",
        "REPORT_FORMAT_HTML": "text/html",
    }
    assert names["REPORT_FORMAT_CSV"].file_name == "compliance-gdpr-2026-11-21-2026-11-21.csv"
    assert json.loads(names["REPORT_FORMAT_JSON"].content)["framework"] == "gdpr"

"""A report as Markdown. What comes from records is never taken for markup."""

import re
from collections.abc import Iterator

from llm_incident_manager.domain.compliance import Line, Report
from llm_incident_manager.transport.documents import words

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&=:@])")


def write(report: Report) -> str:
    """The whole text."""
    return "\n".join((*_head(report), *(text for line in report.lines for text in _line(line)))) + "\n"


def _head(report: Report) -> Iterator[str]:
    yield f"# {_plain(words.title(report))}"
    yield ""
    yield f"> {_plain(report.framework.notice)}"
    yield ""
    for name, value in words.facts(report):
        yield f"- {_plain(name)}: {_plain(value)}"
    yield ""
    yield "| control | requirement | source | gravity | status |"
    yield "| --- | --- | --- | --- | --- |"
    for line in report.lines:
        cells = (line.control.id, line.requirement.id, line.control.source, line.control.gravity.name.lower())
        yield f"| {' | '.join(map(_plain, cells))} | {words.status(line.status)} |"


def _line(line: Line) -> Iterator[str]:
    control = line.control
    yield ""
    yield f"## {_plain(control.id)} {_plain(control.title)}: {_plain(line.requirement.id)}"
    yield ""
    yield f"**{words.status(line.status)}**: {_plain(line.reason)}"
    yield ""
    yield f"- Asked for: {_plain(control.text)} ({_plain(control.source)}, {control.gravity.name.lower()})"
    yield f"- Counts as evidence: {_plain(line.requirement.evidence)}"
    yield f"- {words.counts(line)}"
    if line.failed:
        yield f"- Remedy: {_plain(line.requirement.remedy)}"
        yield from (f"- Missing: {_plain(each.number or 'system')}: {_plain(each.reason)}" for each in line.findings)
    for each in line.evidence:
        yield f"- Evidence: {_plain(each.id)}: {_plain(each.summary)} {_plain(words.when(each))}".rstrip()
    if words.unlisted(line):
        yield f"- Evidence: {words.unlisted(line)}"


def _plain(text: str) -> str:
    """Text as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))

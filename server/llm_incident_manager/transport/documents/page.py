"""A report as one HTML file that needs nothing else and runs nothing. Everything from records is escaped."""

from collections.abc import Iterator
from html import escape

from llm_incident_manager.domain.compliance import Line, Report
from llm_incident_manager.transport.documents import words

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}blockquote{border-left:4px solid #888;margin:1rem 0;padding:0 1rem}"
    ".PASSED{color:#106010}.FAILED{color:#a01010}.NOT_APPLICABLE{color:#555}code{overflow-wrap:anywhere}"
)


def write(report: Report) -> str:
    """The whole page."""
    return "\n".join((*_head(report), *(text for line in report.lines for text in _line(line)), "</body></html>", ""))


def _head(report: Report) -> Iterator[str]:
    heading = escape(words.title(report))
    yield '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f'<meta name="viewport" content="width=device-width"><title>{heading}</title><style>{_STYLE}</style></head>'
    yield f"<body><h1>{heading}</h1><blockquote><p>{escape(report.framework.notice)}</p></blockquote><table>"
    yield from (
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in words.facts(report)
    )
    names = ("control", "requirement", "source", "gravity", "status")
    yield f"</table><h2>Lines</h2><table><tr>{''.join(f'<th>{name}</th>' for name in names)}</tr>"
    for line in report.lines:
        control = line.control
        cells = (control.id, line.requirement.id, control.source, control.gravity.name.lower())
        yield f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}<td>{_status(line)}</td></tr>"
    yield "</table>"


def _line(line: Line) -> Iterator[str]:
    control, asked = line.control, line.requirement
    yield f"<h2>{escape(control.id)} {escape(control.title)}: {escape(asked.id)}</h2>"
    yield f"<p><strong>{_status(line)}</strong>: {escape(line.reason)}</p><ul>"
    yield f"<li>Asked for: {escape(control.text)} ({escape(control.source)}, {control.gravity.name.lower()})</li>"
    yield f"<li>Counts as evidence: {escape(asked.evidence)}</li><li>{words.counts(line)}</li>"
    if line.failed:
        yield f"<li>Remedy: {escape(asked.remedy)}</li>"
        yield from (
            f"<li>Missing: {escape(each.number or 'system')}: {escape(each.reason)}</li>" for each in line.findings
        )
    yield "</ul><table><tr><th>evidence</th><th>what it shows</th><th>time</th></tr>"
    for each in line.evidence:
        cells = (f"<code>{escape(each.id)}</code>", escape(each.summary), words.when(each))
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    if words.unlisted(line):
        yield f"<tr><td>{words.unlisted(line)}</td><td></td><td></td></tr>"
    yield "</table>"


def _status(line: Line) -> str:
    return f'<span class="{line.status}">{words.status(line.status)}</span>'

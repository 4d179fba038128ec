"""Path templates and what they consist of. Pure grammar: the transcoder's `template.parse` is the only door."""

from typing import Any

from cases.case import Case, Doors, difference, needed
from llm_incident_manager.transport.rest import template

NAME = "path_templates"


def recognises(case: Case) -> bool:
    """A template with its segments, or one that is invalid."""
    return "template" in case and ("segments" in case or "expect_invalid" in case)


async def run(case: Case, doors: Doors) -> str:
    """Parses the template; the note: an end below zero counts from the end, -1 being the last segment's."""
    text = needed(case, "template", str)
    try:
        parsed = template.parse(text)
    except template.TemplateError as error:
        return "" if case.get("expect_invalid") else str(error)
    if case.get("expect_invalid"):
        return f"{text!r} was taken"
    got: dict[str, Any] = {
        "segments": list(parsed.segments),
        "verb": parsed.verb,
        "variables": [{"field": v.field, "start": v.start, "end": v.end, "multi": v.deep} for v in parsed.variables],
    }
    expected = {key: case[key] for key in got if key in case}
    if "variables" in expected:
        expected["variables"] = [_counted(variable, len(parsed.segments)) for variable in case["variables"]]
    return difference({key: got[key] for key in expected}, expected)


def _counted(variable: dict[str, Any], segments: int) -> dict[str, Any]:
    """The variable with its end counted from the start."""
    end = variable["end"]
    return {**variable, "end": end + segments + 1 if end < 0 else end}

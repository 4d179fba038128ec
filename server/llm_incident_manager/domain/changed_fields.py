"""Which fields of an incident a change has changed, as text for the audit. Counters and the route are none of them."""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import orjson

from llm_incident_manager.domain import time
from llm_incident_manager.domain.incident import FingerprintName, Incident, Resolution
from llm_incident_manager.domain.severity import Severity

FIELDS = (
    "revision",
    "state",
    "severity",
    "incident_type",
    "kind",
    "title",
    "description",
    "labels",
    "service",
    "affected_services",
    "environment",
    "application",
    "provider",
    "model",
    "deployment",
    "runbook_url",
    "assignees",
    "historical",
    "recurred",
    "merged_into",
    "resolution",
    "acknowledged_at",
    "resolved_at",
    "closed_at",
    "keys",
    "snoozed_until",
    "acknowledge_breached_at",
    "resolve_breached_at",
)
LONGEST = 500
"""Characters of a value that are kept as they are; of a longer one its beginning, its length and its SHA-256."""

_BEGINNING = 200
_MOMENTS = frozenset(name for name in FIELDS if name.endswith(("_at", "_until")))


class Difference(NamedTuple):
    """The fields that differ, as they were and as they are."""

    before: Mapping[str, str]
    after: Mapping[str, str]


def between(before: Incident, after: Incident) -> Difference:
    """What differs."""
    names = [name for name in FIELDS if getattr(before, name) != getattr(after, name)]
    return Difference({name: text_of(before, name) for name in names}, {name: text_of(after, name) for name in names})


def opened(incident: Incident) -> Mapping[str, str]:
    """What is told of a new incident."""
    return {
        "number": incident.number,
        "state": incident.state,
        "severity": incident.severity.name,
        "title": short(incident.title),
    }


def text_of(incident: Incident, name: str) -> str:
    """A field as text; empty for what is not set."""
    value = getattr(incident, name)
    if name in _MOMENTS and value is not None:
        return time.rfc3339(value)
    return short(_text(value))


def short(text: str) -> str:
    """The text, or what tells it from every other one of its length."""
    if len(text) <= LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{text[:_BEGINNING]}… ({len(text)} characters, sha256 {digest})"


def _text(value: object) -> str:  # noqa: PLR0911  # one return a kind of value
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Severity():
            return value.name
        case Mapping():
            return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode()
        case Resolution(by, method, notes, root_cause, at):
            said = {"by": by, "method": method, "notes": notes, "root_cause": root_cause, "at": time.rfc3339(at)}
            return orjson.dumps(said).decode()
        case FingerprintName(version, name):
            return f"{version}:{name}"
        case tuple():
            return ", ".join(_text(each) for each in value)
    return str(value)

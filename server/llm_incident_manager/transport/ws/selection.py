"""What a subscription asks for by lists of words instead of a filter: turned into the filter, and into kinds of
changes. Decides nothing about incidents: filters do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from incidentmanager.v1 import incident_pb2

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport.checker.rules import quote

MOST_WORDS = 100
"""In each list."""

_STATE = incident_pb2.CHANGE_KIND_STATE
_Kind = tuple[int, int]
"""A kind of change, and the state that the incident is in then; 0: any."""
_KINDS: Mapping[str, _Kind] = {
    "incident_created": (incident_pb2.CHANGE_KIND_OPENED, 0),
    "incident_updated": (incident_pb2.CHANGE_KIND_UPDATED, 0),
    "incident_resolved": (_STATE, incident_pb2.INCIDENT_STATE_RESOLVED),
    "incident_closed": (_STATE, incident_pb2.INCIDENT_STATE_CLOSED),
    "escalated": (_STATE, incident_pb2.INCIDENT_STATE_ESCALATED),
    "comment_added": (incident_pb2.CHANGE_KIND_NOTE, 0),
    "opened": (incident_pb2.CHANGE_KIND_OPENED, 0),
    "state": (_STATE, 0),
    "severity": (incident_pb2.CHANGE_KIND_SEVERITY, 0),
    "recurred": (incident_pb2.CHANGE_KIND_RECURRED, 0),
    "updated": (incident_pb2.CHANGE_KIND_UPDATED, 0),
    "note": (incident_pb2.CHANGE_KIND_NOTE, 0),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter, empty for all incidents, and the kinds of changes that are told; none: all kinds."""

    filter: str = ""
    kinds: frozenset[_Kind] = frozenset()

    def tells(self, change: incident_pb2.IncidentChange) -> bool:
        """Whether the subscriber wants to hear of this change. Of a snapshot always."""
        if not self.kinds or change.kind == incident_pb2.CHANGE_KIND_SNAPSHOT:
            return True
        kind = int(change.kind)
        return (kind, 0) in self.kinds or (kind, int(change.incident.state)) in self.kinds


def selection(filters: object) -> Selection:
    """What `filters` of a subscribe message asks for. Raises InvalidFields naming every bad key."""
    if not isinstance(filters, dict):
        raise InvalidFields([Violation("filters", "filters must be an object of lists", "input.type")])
    bad = [*_unknown(filters), *_not_lists(filters), *_unknown_kinds(filters.get("event_types"))]
    if bad:
        raise InvalidFields(bad)
    parts = [_any_of(made, filters[name]) for name, made in _CONDITIONS.items() if filters.get(name)]
    parts += [_label(key, value) for key, value in (filters.get("labels") or {}).items()]
    return Selection(" AND ".join(parts), frozenset(_KINDS[word.lower()] for word in filters.get("event_types") or ()))


def _field(name: str) -> Callable[[str], str]:
    return lambda word: f"{name} = {_text(word)}"


def _resource(word: str) -> str:
    return f"service = {_text(word)} OR affected_services:{_text(word)}"


_CONDITIONS: Mapping[str, Callable[[str], str]] = {
    "severities": _field("severity"),
    "states": _field("state"),
    "sources": _field("source"),
    "affected_resources": _resource,
    "incident_ids": lambda word: f"{'number' if word.upper().startswith('INC-') else 'id'} = {_text(word)}",
}
_KNOWN = (*_CONDITIONS, "labels", "event_types")


def _any_of(made: Callable[[str], str], words: list[str]) -> str:
    return f"({' OR '.join(made(word) for word in words)})"


def _label(key: str, value: str) -> str:
    return f"labels.{_text(key)} = {_text(value)}"


def _text(word: str) -> str:
    """The word as a text of the filter language, without wildcards."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")
    return f'"{escaped}"'


def _unknown(filters: Mapping[str, object]) -> Iterator[Violation]:
    for name in filters:
        if name not in _KNOWN:
            text = f"filters.{quote(name)} is none of {', '.join(_KNOWN)}; `filter` takes any condition"
            yield Violation(f"filters.{name[:64]}", text, "input.unknown_field")


def _not_lists(filters: Mapping[str, object]) -> Iterator[Violation]:
    for name in (*_CONDITIONS, "event_types"):
        if not _is_words(filters.get(name, [])):
            text = f"filters.{name} must be a list of at most {MOST_WORDS} texts"
            yield Violation(f"filters.{name}", text, "input.type")
    labels = filters.get("labels", {})
    if not isinstance(labels, dict) or not _is_words([*labels, *labels.values()]):
        text = f"filters.labels must be an object of at most {MOST_WORDS // 2} texts"
        yield Violation("filters.labels", text, "input.type")


def _is_words(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MOST_WORDS and all(isinstance(word, str) for word in value)


def _unknown_kinds(words: object) -> Iterator[Violation]:
    for word in words if isinstance(words, list) else ():
        if isinstance(word, str) and word.lower() not in _KINDS:
            text = f"filters.event_types: {quote(word)} is none of {', '.join(_KINDS)}"
            yield Violation("filters.event_types", text, "input.enum")

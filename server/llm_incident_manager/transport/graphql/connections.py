"""Relay connections over lists of incidents: which slice to read, and what of it is shown. Pure but for reading.

After https://relay.dev/graphql/connections.htm: cursors bound the list first, then `first` takes from its beginning,
then `last` from the end of what is left. Edges stay in the order of the list; a cursor of no edge is ignored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_incident_manager.domain import filter_tree
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport.handlers.many import Edge, ListIncidents, Slice
from llm_incident_manager.transport.paging import DEFAULT_SIZE, MAX_SIZE

_OPEN = "state = (NEW OR ACKNOWLEDGED OR IN_PROGRESS OR ESCALATED)"
_WORDS = {"severity": "severity", "state": "state", "incidentType": "incident_type"}
"""Arguments whose values are words of the language."""
_TEXTS = ("kind", "source", "service", "environment", "application", "provider", "model", "deployment")
_CURSORS = ("first", "after", "last", "before")


@dataclass(frozen=True, slots=True)
class Window:
    """What was asked for: the slice to read, one more than is shown, and how it is cut."""

    wanted: Slice
    first: int | None
    last: int | None
    page: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """What is shown of a list."""

    edges: Sequence[Edge]
    has_previous: bool
    has_next: bool

    @property
    def page_info(self) -> Mapping[str, object]:
        """As PageInfo has it."""
        return {
            "hasNextPage": self.has_next,
            "hasPreviousPage": self.has_previous,
            "startCursor": self.edges[0].cursor if self.edges else None,
            "endCursor": self.edges[-1].cursor if self.edges else None,
        }


def window(given: Mapping[str, Any]) -> Window:
    """The window of a connection's arguments. Raises InvalidFields."""
    numbers = {name: given[name] for name in ("first", "last", "page", "pageSize") if given.get(name) is not None}
    wrong = [
        Violation(name, f"{name}: {number} is negative: give a non-negative integer", "int32.gte")
        for name, number in numbers.items()
        if number < 0
    ]
    paged = [name for name in ("page", "pageSize") if name in numbers]
    cursors = [name for name in _CURSORS if given.get(name) is not None]
    if paged and cursors:
        text = f"{paged[0]} and {cursors[0]} exclude each other: give pages a number, or cursors"
        wrong.append(Violation(paged[0], text, "exclusive"))
    if wrong:
        raise InvalidFields(wrong)
    if paged:
        return _numbered(numbers.get("page") or 1, numbers.get("pageSize") or DEFAULT_SIZE)
    return _between(numbers.get("first"), numbers.get("last"), given.get("after") or "", given.get("before") or "")


def _numbered(page: int, size: int) -> Window:
    size = min(size, MAX_SIZE)
    return Window(Slice(size + 1, offset=(page - 1) * size), size, None, page)


def _between(first: int | None, last: int | None, after: str, before: str) -> Window:
    if first is None and last is not None:
        last = min(last, MAX_SIZE)
        return Window(Slice(last + 1, after, before, backwards=True), None, last)
    first = min(DEFAULT_SIZE if first is None else first, MAX_SIZE)
    return Window(Slice(first + 1, after, before), first, last)


def cut(asked: Window, found: Sequence[Edge]) -> Part:
    """What is shown of the edges that were found for `asked.wanted`, in the order of the list."""
    has_next, has_previous = False, asked.page > 1
    if asked.first is not None:
        has_next = len(found) > asked.first
        found = found[: asked.first]
    if asked.last is not None:
        has_previous = len(found) > asked.last
        found = found[len(found) - asked.last :] if has_previous else found
    return Part(found, has_previous, has_next)


def request(given: Mapping[str, Any]) -> ListIncidents:
    """What ListIncidents would be asked for the same list. Raises InvalidFields."""
    wanted = given.get("filter") or {}
    return ListIncidents(
        filter=expression(wanted),
        order_by=given.get("orderBy") or "",
        start=wanted.get("start") or "",
        end=wanted.get("end") or "",
        search=wanted.get("search") or "",
    )


def expression(wanted: Mapping[str, Any]) -> str:
    """An IncidentFilter in the filter language. Raises InvalidFields for a list of nothing."""
    parts: list[str] = []
    for name, field in {**_WORDS, **{text: text for text in _TEXTS}, "assignee": "assignees"}.items():
        values = wanted.get(name)
        if values is None:
            continue
        if not values:
            text = f"filter.{name} is an empty list, which nothing fits: name something, or leave it out"
            raise InvalidFields([Violation(f"filter.{name}", text, "repeated.min_items")])
        words = values if name in _WORDS else [filter_tree.quoted(value) for value in values]
        sign = ":" if name == "assignee" else " = "
        parts.append(" OR ".join(f"{field}{sign}{word}" for word in words))
    if wanted.get("open") is not None:
        parts.append(_OPEN if wanted["open"] else f"NOT {_OPEN}")
    parts += [f"labels.{filter_tree.quoted(key)} = {_text(key, value)}" for key, value in _labels(wanted).items()]
    parts += [wanted["expression"]] if (wanted.get("expression") or "").strip() else []
    return parts[0] if len(parts) == 1 else " AND ".join(f"({part})" for part in parts)


def _labels(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    labels = wanted.get("labels") or {}
    if not isinstance(labels, dict):
        text = "filter.labels: give an object of keys and values"
        raise InvalidFields([Violation("filter.labels", text, "type")])
    return labels


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        text = f"filter.labels.{key}: values of labels are texts"
        raise InvalidFields([Violation(f"filter.labels.{key}", text, "type")])
    return filter_tree.quoted(value)

"""Evaluates a filter on an incident in memory, for watchers; agrees with what the databases answer. Pure."""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter, eq, ge, gt, le, lt, ne

from llm_incident_manager.domain.filter_fields import FIELDS, Type
from llm_incident_manager.domain.filter_tree import (
    And,
    Compare,
    Like,
    Node,
    Not,
    Op,
    Or,
    Path,
    Present,
    Search,
    fold,
    number_key,
)
from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.domain.incident import Incident

_Value = str | int | float
_Test = Callable[[_Value, _Value], bool]

_TESTS: Mapping[Op, _Test] = {Op.EQ: eq, Op.NE: ne, Op.LT: lt, Op.LE: le, Op.GT: gt, Op.GE: ge}
_BY_GRAVITY: Mapping[Op, _Test] = {**_TESTS, Op.LT: gt, Op.LE: ge, Op.GT: lt, Op.GE: le}
_READ: Mapping[str, Callable[[Incident], _Value | tuple[str, ...] | None]] = {
    field.name: attrgetter(field.attribute) for field in FIELDS.values()
}


def matches(filter_: Filter, incident: Incident) -> bool:
    """Whether the incident passes the filter."""
    return _holds(filter_.tree, incident)


def _holds(node: Node, incident: Incident) -> bool:
    match node:
        case And(parts):
            return all(_holds(part, incident) for part in parts)
        case Or(parts):
            return any(_holds(part, incident) for part in parts)
        case Not(part):
            return not _holds(part, incident)
        case Search(text):
            return text in fold(incident.title) or text in fold(incident.description)
    return any(_passes(node, own) for own in _values(node.path, incident))


def _passes(node: Compare | Like | Present, own: _Value) -> bool:
    """Whether one value passes. A label may be empty and present, a text or an item may not."""
    match node:
        case Present(path):
            return path.field.type is Type.LABELS or own != ""
        case Compare(path, op, value) if path.field.name == "number":
            return _TESTS[op](number_key(str(own)), number_key(str(value)))
        case Compare(path, op, value):
            return (_BY_GRAVITY if path.field.type is Type.SEVERITY else _TESTS)[op](own, value)
        case Like():
            return _is_like(node, str(own))


def _is_like(like: Like, own: str) -> bool:
    text = fold(own) if like.fold else own
    if like.open_start:
        return like.text in text if like.open_end else text.endswith(like.text)
    return text.startswith(like.text)


def _values(path: Path, incident: Incident) -> Iterable[_Value]:
    """The values a path leads to: none, one, or the items of a list."""
    if path.field.type is Type.LABELS:
        return _labels(path.key, incident.labels)
    value = _READ[path.field.name](incident)
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _labels(key: str | None, labels: Mapping[str, str]) -> Iterable[str]:
    if key is None:
        return labels
    return (labels[key],) if key in labels else ()

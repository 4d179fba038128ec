"""The filter language and the order of lists: parses and checks what callers write. Runs nothing and reads no store."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from llm_incident_manager.domain import filter_check, filter_parser, filter_tree
from llm_incident_manager.domain.filter_errors import InvalidFilter
from llm_incident_manager.domain.filter_fields import FIELDS, SORTABLE
from llm_incident_manager.domain.filter_schema import INCIDENTS, Schema
from llm_incident_manager.domain.incident import Incident

__all__ = ["Filter", "InvalidFilter", "Order", "Place", "both", "parse", "parse_order", "place_of"]

Place = tuple[str | int | float | None, ...]
"""Where an incident stands in an ordered list: its value of each order, then its id."""

MAX_ORDERS = 8
_ORDER = re.compile(r"\s*([^\s,]+)(?:\s+([^\s,]+))?\s*", re.ASCII)
_DIRECTIONS = {None: False, "asc": False, "desc": True}


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that parsed and made sense. `text` is its canonical form: filters of equal meaning in equal words."""

    tree: filter_tree.Node
    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """One key of an ordered list: a field's public name. Absent times come last in either direction."""

    field: str
    descending: bool = False


def parse(text: str, schema: Schema = INCIDENTS) -> Filter:
    """The filter of a text over the fields of a schema; an empty one lets everything pass.

    Raises InvalidFilter with position and remedy.
    """
    syntax = filter_parser.parse_syntax(text)
    tree = filter_tree.And(()) if syntax is None else filter_check.check(syntax, schema)
    return Filter(tree, filter_tree.text_of(tree))


def both(one: Filter, other: Filter) -> Filter:
    """Lets pass what passes both. Unlike their joined texts it cannot be too long."""
    tree = filter_check.conjunction([one.tree, other.tree])
    return Filter(tree, filter_tree.text_of(tree))


def parse_order(text: str, schema: Schema = INCIDENTS) -> tuple[Order, ...]:
    """The orders of a text such as "severity desc, create_time"; none when it is empty.

    Severities go by gravity, so `severity desc` begins with P0. Raises InvalidFilter with position and remedy.
    """
    if not text.strip():
        return ()
    orders: list[Order] = []
    at = 0
    for part in text.split(","):
        orders.append(_order(part, at, orders, schema))
        at += len(part) + 1
    return tuple(orders)


def place_of(incident: Incident, order: Sequence[Order]) -> Place:
    """What a page token remembers of the last incident of a page."""
    values = (attrgetter(FIELDS[key.field].attribute)(incident) for key in order)
    return (*(_plain(value) for value in values), incident.id)


def _order(part: str, at: int, before: Sequence[Order], schema: Schema) -> Order:
    position = at + len(part) - len(part.lstrip()) + 1
    found = _ORDER.fullmatch(part)
    if found is None or found[2] not in _DIRECTIONS:
        remedy = 'write field names, each with "desc" behind it or not, separated by commas'
        raise InvalidFilter(f"{part.strip()!r} is no order: {remedy}", position, source="order_by")
    name = found[1]
    if name not in schema.fields or schema.fields[name].type not in SORTABLE:
        known = ", ".join(field.name for field in schema.fields.values() if field.type in SORTABLE)
        raise InvalidFilter(f"cannot order by {name!r}: the fields for it are {known}", position, source="order_by")
    if len(before) >= MAX_ORDERS or any(order.field == name for order in before):
        remedy = f"name each field once and at most {MAX_ORDERS} of them"
        raise InvalidFilter(f"{name!r} is one too many: {remedy}", position, source="order_by")
    return Order(name, _DIRECTIONS[found[2]])


def _plain(value: object) -> str | int | float | None:
    """Enums and flags as the plain values that are stored."""
    if value is None or isinstance(value, float):
        return value
    return int(value) if isinstance(value, int) else str(value)

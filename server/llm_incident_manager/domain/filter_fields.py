"""The fields of an incident that a filter or an order_by may name: one registry, read by checker, matcher and SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto


class Type(Enum):
    """How a field's values are written, compared and stored."""

    ID = auto()
    TEXT = auto()
    INTEGER = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    TIME = auto()
    DURATION = auto()
    SEVERITY = auto()
    STATE = auto()
    INCIDENT_TYPE = auto()
    LIST = auto()
    LABELS = auto()


ORDERED = frozenset({Type.ID, Type.TEXT, Type.INTEGER, Type.NUMBER, Type.TIME, Type.DURATION, Type.SEVERITY})
"""Types whose values can be less or greater. Severities by gravity: P0 is the greatest."""

SORTABLE = ORDERED | {Type.STATE, Type.INCIDENT_TYPE, Type.BOOLEAN}
"""Types that can be listed in order; words alphabetically, false before true."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its public name, its type, the Incident attribute (dotted) and the SQL expression that hold it."""

    name: str
    type: Type
    attribute: str
    column: str
    nullable: bool = False


def _plain(type_: Type, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, type_, name, name) for name in names)


def _time(name: str, attribute: str, *, nullable: bool = False) -> Field:
    return Field(name, Type.TIME, attribute, attribute if attribute.endswith("_at") else f"{attribute}_at", nullable)


def _lasted(name: str, until: str) -> Field:
    return Field(name, Type.DURATION, name, f"({until} - created_at)", nullable=True)


FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        *_plain(Type.ID, "id"),
        *_plain(Type.TEXT, "number"),
        *_plain(Type.STATE, "state"),
        *_plain(Type.SEVERITY, "severity"),
        *_plain(Type.INCIDENT_TYPE, "incident_type"),
        *_plain(Type.TEXT, "kind", "source", "title", "description", "service"),
        *_plain(Type.LIST, "affected_services"),
        *_plain(Type.TEXT, "environment", "application", "provider", "model", "deployment"),
        *_plain(Type.LIST, "assignees"),
        *_plain(Type.TEXT, "route"),
        *_plain(Type.LABELS, "labels"),
        *_plain(Type.INTEGER, "event_count", "tokens"),
        *_plain(Type.NUMBER, "cost_usd"),
        *_plain(Type.INTEGER, "users_affected"),
        *_plain(Type.BOOLEAN, "recurred"),
        _time("create_time", "created_at"),
        _time("update_time", "updated_at"),
        _time("first_seen_time", "first_seen"),
        _time("last_seen_time", "last_seen"),
        _time("acknowledge_time", "acknowledged_at", nullable=True),
        _time("resolve_time", "resolved_at", nullable=True),
        _time("close_time", "closed_at", nullable=True),
        Field("snoozed_until", Type.TIME, "snoozed_until", "snoozed_until", nullable=True),
        _time("acknowledge_breach_time", "acknowledge_breached_at", nullable=True),
        _time("resolve_breach_time", "resolve_breached_at", nullable=True),
        _lasted("time_to_acknowledge", "acknowledged_at"),
        _lasted("time_to_resolve", "resolved_at"),
        Field("fingerprint", Type.TEXT, "fingerprint.value", "fingerprint"),
    )
}

"""What both databases know of whole tenants: which tables tell of them, and the statements about one. Runs nothing.

Names of tables and columns come from the catalogue of a database that this program has made.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from llm_incident_manager.adapters.sql.archive import DERIVED
from llm_incident_manager.ports.tenant_data import Page

TENANT = "tenant"
KEPT = frozenset({"audit", "audit_checkpoint", "audit_retired"})
"""Tables that outlive a tenant: the proof of what was done must stay whole."""

SECRET = frozenset({("api_key", "digest"), ("api_key", "former_digest"), ("api_key", "pepper")})
"""Columns that are nobody's to take along."""


class Table(NamedTuple):
    """A table with its columns, and those of its primary key in order."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


def tables(found: Iterable[tuple[str, str, int]]) -> Sequence[Table]:
    """Tables with tenants, of all columns as (table, column, place in the primary key from 1, or 0). What the database
    derives from others comes last."""
    columns: dict[str, list[tuple[str, int]]] = {}
    for table, column, place in found:
        columns.setdefault(table, []).append((column, place))
    made = [Table(name, tuple(each for each, _ in of), _key(of)) for name, of in columns.items()]
    wanted = (table for table in made if TENANT in table.columns and table.key)
    return sorted(wanted, key=lambda table: (table.name in DERIVED, table.name == "incident", table.name))


def exported(known: Iterable[Table]) -> Sequence[Table]:
    """Those worth taking along."""
    return [table for table in known if table.name not in DERIVED]


def erased(known: Iterable[Table]) -> Sequence[Table]:
    """Those that go with their tenant, incidents after what is about them."""
    return [table for table in known if table.name not in KEPT]


def page(table: Table, columns: Sequence[str], marks: Sequence[str]) -> str:
    """The statement of a page: `marks` are placeholders for the tenant, the limit, and then the place, if there is one.
    The key stands behind the columns."""
    behind = f" AND ({_names(table.key)}) > ({', '.join(marks[2:])})" if marks[2:] else ""
    wanted = f"{_names(columns)}, {_names(table.key)}"
    source = f"FROM {_quoted(table.name)} WHERE tenant = {marks[0]}{behind}"
    return f"SELECT {wanted} {source} ORDER BY {_names(table.key)} LIMIT {marks[1]}"


def erase(table: Table, marks: Sequence[str]) -> str:
    """The statement that deletes a few rows: `marks` are placeholders for the tenant and the limit."""
    name, key = _quoted(table.name), _names(table.key)
    some = f"SELECT {key} FROM {name} WHERE tenant = {marks[0]} LIMIT {marks[1]}"  # noqa: S608  # the catalogue's names
    return f"DELETE FROM {name} WHERE ({key}) IN ({some})"  # noqa: S608  # as above


def shown(table: Table) -> Sequence[str]:
    """The columns to take along."""
    return [column for column in table.columns if (table.name, column) not in SECRET]


def page_of(table: Table, found: Sequence[Sequence[Any]], limit: int) -> Page:
    """The rows of an answer."""
    columns = shown(table)
    rows = [dict(zip(columns, map(_plain, row), strict=False)) for row in found]
    return Page(rows, tuple(found[-1][len(columns) :]) if len(found) == limit else None)


def of_name(known: Iterable[Table], name: str) -> Table:
    """The table of that name. Raises LookupError."""
    by_name: Mapping[str, Table] = {table.name: table for table in known}
    return by_name[name]


def _plain(value: Any) -> str | int | float | bool | None:  # noqa: ANN401  # whatever a driver gives
    """Ids as hexadecimal text, other bytes in base64."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes):
        return value.hex() if len(value) == 16 else base64.b64encode(value).decode()
    return str(value)


def _key(columns: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    return tuple(name for place, name in sorted((place, name) for name, place in columns) if place)


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(_quoted, names))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

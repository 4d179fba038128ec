"""Figures over incidents: fills the statement in for a query and reads its rows. Runs nothing."""

from collections.abc import Iterable, Sequence
from typing import Any

from llm_incident_manager.adapters.sql import filters
from llm_incident_manager.adapters.sql.dialect import Dialect
from llm_incident_manager.adapters.sql.filters import Clause
from llm_incident_manager.domain import figures
from llm_incident_manager.domain.figures import Figures, Table
from llm_incident_manager.domain.filter_fields import FIELDS, Type
from llm_incident_manager.ports.stores import IncidentQuery

_PARTS = {
    name: "CAST(severity AS TEXT)" if FIELDS[name].type is Type.SEVERITY else FIELDS[name].column
    for name in figures.GROUPS
}


def statement(template: str, query: IncidentQuery, group_by: str, dialect: Dialect) -> Clause:
    """The whole statement for one grouping field, or for all incidents together when there is none."""
    matching = filters.selection(query, dialect)
    part = dialect.collated.format(_PARTS[group_by]) if group_by else "''"
    return Clause(template.replace("{group}", part).replace("{matching}", matching.text), matching.parameters)


def table(everything: Iterable[Sequence[Any]], parts: Iterable[Sequence[Any]], group_by: str) -> Table:
    """The rows of the ungrouped and of the grouped statement as one table."""
    total = figures.assembled([_row(row) for row in everything]).get("", Figures())
    rows = [_row(row) for row in parts]
    grouped = figures.assembled(rows)
    groups = [(figures.shown(group_by, value), found) for value, found in grouped.items()]
    return Table(total, groups, next((row[5] or 0 for row in rows if row[1] == 0), 0))


def _row(row: Sequence[Any]) -> figures.Row:
    part, measure, count, total, p50, p95 = row
    return part, measure, count, total, p50, p95

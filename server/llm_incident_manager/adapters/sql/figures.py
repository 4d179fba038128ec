"""Figures over incidents: fills the statements in for a query and reads their rows. Runs nothing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llm_incident_manager.adapters.sql import filters
from llm_incident_manager.adapters.sql.dialect import Dialect
from llm_incident_manager.adapters.sql.filters import Clause, Writer
from llm_incident_manager.domain import calendar, figures, trends
from llm_incident_manager.domain.figures import Figures, Table
from llm_incident_manager.domain.filter_fields import FIELDS, Type
from llm_incident_manager.domain.scope import TEAM
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.sla import Targets
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.trends import Attained, Attainment, Counted, Kept, Trend
from llm_incident_manager.ports.stores import IncidentQuery

Rows = Iterable[Sequence[Any]]

_MOST, _MOST_FOLLOWED = str(figures.MOST_GROUPS), str(trends.MOST_VALUES)


def statement(template: str, query: IncidentQuery, group_by: str, dialect: Dialect) -> Clause:
    """The whole statement for one grouping field, or for all incidents together when there is none."""
    return _filled(template.replace("{step}", "0").replace("{most}", _MOST), query, group_by, Writer(dialect))


def trend_statement(
    template: str, query: IncidentQuery, group_by: str, boundaries: Sequence[Instant], dialect: Dialect
) -> Clause:
    """The same step by step."""
    writer = Writer(dialect)
    step = _step(boundaries, writer)
    return _filled(template.replace("{step}", step).replace("{most}", _MOST_FOLLOWED), query, group_by, writer)


def attainment_statement(
    template: str, query: IncidentQuery, group_by: str, targets: Targets, now: Instant, dialect: Dialect
) -> Clause:
    """How often promises were kept."""
    writer = Writer(dialect)
    acknowledge = {severity: target.acknowledge for severity, target in targets.items()}
    resolve = {severity: target.resolve for severity, target in targets.items()}
    first, second, moment = _deadline(acknowledge, writer), _deadline(resolve, writer), writer.bind(Type.TIME, now)
    text = template.replace("{acknowledge_by}", first).replace("{resolve_by}", second).replace("{now}", moment)
    return _filled(text.replace("{most}", _MOST), query, group_by, writer)


def table(everything: Rows, parts: Rows, group_by: str) -> Table:
    """The rows of the ungrouped and of the grouped statement as one table."""
    total = figures.assembled([_counted(row)[1] for row in everything]).get("", Figures())
    rows = [_counted(row)[1] for row in parts]
    grouped = figures.assembled(rows)
    groups = [(figures.shown(group_by, value), found) for value, found in grouped.items()]
    return Table(total, groups, next((row[5] or 0 for row in rows if row[1] == 0), 0))


def trend(everything: Rows, parts: Rows, group_by: str, boundaries: Sequence[Instant]) -> Trend:
    """The rows of the ungrouped and of the grouped statement as one trend."""
    grouped = [(step, (figures.shown(group_by, row[0]), *row[1:])) for step, row in map(_counted, parts)]
    return trends.assembled(boundaries, [_counted(row) for row in everything], grouped)


def attainment(everything: Rows, parts: Rows, group_by: str) -> Attainment:
    """The rows of the ungrouped and of the grouped statement."""
    total = next((_attained(row) for row in everything), Attained())
    rows = list(parts)
    groups = [(figures.shown(group_by, row[0]), _attained(row)) for row in rows]
    return Attainment(total, groups, rows[0][-1] if rows else 0)


def _filled(template: str, query: IncidentQuery, group_by: str, writer: Writer) -> Clause:
    part, matching = _part(group_by, writer.dialect), filters.matching(query, writer, by_id=True)
    return writer.clause(template.replace("{group}", part).replace("{matching}", f"WHERE {matching}"))


def _part(group_by: str, dialect: Dialect) -> str:
    """What the groups are told apart by, as text that sorts by code points."""
    if not group_by:
        return "''"
    if group_by == TEAM:
        label = dialect.label.format("labels", f"'{TEAM}'")
        return dialect.collated.format(f"coalesce({label}, '')")
    field = FIELDS[group_by]
    return dialect.collated.format("CAST(severity AS TEXT)" if field.type is Type.SEVERITY else field.column)


def _step(boundaries: Sequence[Instant], writer: Writer) -> str:
    """The number of the step that an incident was created in."""
    branches = []
    for run in calendar.runs(boundaries):
        number, start, end, width = (
            writer.bind(Type.TIME, each) for each in (run.number, run.start, run.end, run.width)
        )
        branches.append(f"WHEN created_at < {end} THEN {number} + (created_at - {start}) / {width}")
    told = " ".join(branches)
    return f"CASE {told} END"


def _deadline(promised: Mapping[Severity, int | None], writer: Writer) -> str:
    """When a promise has to be kept; NULL where none was made."""
    branches = []
    for severity, within in sorted(promised.items()):
        if within is not None:
            number, bound = int(severity), writer.bind(Type.TIME, within)
            branches.append(f"WHEN {number} THEN {bound}")
    told = " ".join(branches)
    return f"created_at + CASE severity {told} END" if branches else "created_at + NULL"


def _counted(row: Sequence[Any]) -> Counted:
    step, part, measure, count, total, p50, p95 = row
    return step, (part, measure, count, total, p50, p95)


def _attained(row: Sequence[Any]) -> Attained:
    _, incidents, *counts, _ = row
    return Attained(incidents, Kept(*counts[:3]), Kept(*counts[3:]))

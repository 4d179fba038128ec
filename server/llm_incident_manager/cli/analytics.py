"""`analytics metrics|trends|sla`: figures over many incidents."""

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import options
from llm_incident_manager.cli.options import Invocation

if TYPE_CHECKING:
    from llm_incident_client import pb
    from llm_incident_manager.cli.printing import Printer

app = typer.Typer(no_args_is_help=True, help="How many incidents there were, and how long they took.")


class Interval(StrEnum):
    """How long a step is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


Filter = Annotated[str, typer.Option("--filter", help="Only these, such as 'severity >= P1'.")]
Start = Annotated[str, typer.Option("--start", help="Opened on or after this date or time.")]
End = Annotated[str, typer.Option("--end", help="Opened up to and including this date or time.")]
GroupBy = Annotated[str, typer.Option("--group-by", help="For instance severity, team, source or service.")]


@options.command(app, "metrics")
def metrics(
    how: Invocation, *, filter_text: Filter = "", start: Start = "", end: End = "", group_by: GroupBy = ""
) -> None:
    """Tell how many there were, and the mean times to detect, acknowledge and resolve them."""
    from llm_incident_manager.cli import connection, printing, views

    answer = connection.call(
        how, lambda client: client.get_metrics(start=start, end=end, filter=filter_text, group_by=group_by)
    )
    printer = printing.Printer(how)
    printer.one(answer, lambda: views.figures(printer, answer))


@options.command(app, "trends")
def trends(  # one argument an option
    how: Invocation,
    *,
    interval: Annotated[Interval, typer.Option("--interval", help="How long a step is.")] = Interval.DAY,
    days_of: Annotated[
        str,
        typer.Option("--days-of", help="Where days begin, such as Europe/Berlin; UTC unless given.", metavar="ZONE"),
    ] = "",
    filter_text: Filter = "",
    start: Start = "",
    end: End = "",
    group_by: GroupBy = "",
) -> None:
    """Tell the same hour by hour, day by day, week by week or month by month."""
    from llm_incident_client import pb
    from llm_incident_manager.cli import connection, printing

    answer = connection.call(
        how,
        lambda client: client.get_trends(
            start=start,
            end=end,
            filter=filter_text,
            group_by=group_by,
            interval=pb.TrendInterval.Value(f"TREND_INTERVAL_{interval.name}"),
            time_zone=days_of,
        ),
    )
    printer = printing.Printer(how)
    printer.one(answer, lambda: _trend(printer, answer))


@options.command(app, "sla")
def sla(how: Invocation, *, filter_text: Filter = "", start: Start = "", end: End = "", group_by: GroupBy = "") -> None:
    """Tell how often incidents were acknowledged and resolved in the time agreed for their severity."""
    from llm_incident_manager.cli import connection, printing

    answer = connection.call(
        how, lambda client: client.get_sla_attainment(start=start, end=end, filter=filter_text, group_by=group_by)
    )
    printer = printing.Printer(how)
    printer.one(answer, lambda: _attainment(printer, answer))


def _trend(printer: "Printer", answer: "pb.GetIncidentTrendsResponse") -> None:
    from llm_incident_manager.cli import views

    rows = []
    for step in answer.steps:
        at = printer.moment(step.start_time)
        rows += [(at, group.value or "(none)", *views.figure_cells(group.figures)) for group in step.groups]
        rows.append((at, "all", *views.figure_cells(step.figures)))
    printer.table(("FROM", "", *views.FIGURES), rows)


def _attainment(printer: "Printer", answer: "pb.GetSlaAttainmentResponse") -> None:
    headers = ("", "INCIDENTS", "ACKNOWLEDGED", "MET", "BREACHED", "PENDING", "RESOLVED", "MET", "BREACHED", "PENDING")
    rows = [(group.value or "(none)", *_kept(group.figures)) for group in answer.groups]
    printer.table(headers, [*rows, ("all", *_kept(answer.total))])


def _kept(found: "pb.SlaFigures") -> Iterator[str]:
    yield f"{found.count:,}"
    for one in (found.acknowledge, found.resolve):
        yield f"{one.attainment:.1%}" if one.HasField("attainment") else "-"
        yield from (f"{one.met:,}", f"{one.breached:,}", f"{one.pending:,}")

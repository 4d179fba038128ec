"""`incident …`: reading and watching incidents."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import completion, options
from llm_incident_manager.cli.look import Output
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.domain import lifecycle
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity

if TYPE_CHECKING:  # what makes `--help` slow is imported where it is used
    from llm_incident_client import IncidentClient, pb
    from llm_incident_manager.cli.printing import Printer

app = typer.Typer(no_args_is_help=True, help="Read, watch and move incidents.")

IncidentId = Annotated[
    str,
    typer.Argument(
        help="Id or number, for instance INC-20261121-00042.", metavar="INCIDENT", autocompletion=completion.incidents
    ),
]
Filter = Annotated[str, typer.Option("--filter", help='For instance: severity >= P1 AND labels.region = "eu"')]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Print it again whenever it changes, until interrupted.")]
Limit = Annotated[int, typer.Option("--limit", help="How many at most; 0 for all.", min=0)]


@options.command(app, "list")
def list_incidents(  # noqa: PLR0913  # one argument an option
    how: Invocation,
    *,
    filter_text: Filter = "",
    states: Annotated[
        list[State] | None, typer.Option("--state", help="In one of these states.", case_sensitive=False)
    ] = None,
    only_open: Annotated[bool, typer.Option("--open", help="That still need somebody.")] = False,
    severity: Annotated[str, typer.Option("--severity", help="At least as severe as this, for instance P1.")] = "",
    search: Annotated[
        str, typer.Option("--search", help='All these words; the last may be a start: "gateway laten*".')
    ] = "",
    order_by: Annotated[str, typer.Option("--order-by", help='For instance: "severity desc, create_time".')] = "",
    limit: Limit = 50,
    again: Watch = False,
) -> None:
    """List incidents, newest first."""
    from llm_incident_manager.cli import connection, printing, repeating

    wanted = [*(states or ()), *(sorted(lifecycle.OPEN_STATES) if only_open else ())]
    text = filter_of(filter_text, wanted, severity)
    printer = printing.Printer(how)

    async def work(client: "IncidentClient") -> None:
        async def draw() -> None:
            _print_list(printer, await collect(client, text, order_by, limit, search))

        await (repeating.draw_again(client, printer, draw) if again else draw())

    connection.call(how, work)


def _print_list(printer: "Printer", found: "pb.ListIncidentsResponse") -> None:
    """JSON and YAML have the reply as it is, CSV its incidents."""
    if printer.output is Output.CSV:
        for incident in found.incidents:
            printer.put(incident)
    else:
        printer.one(found, lambda: _listed(printer, found))


def _listed(printer: "Printer", found: "pb.ListIncidentsResponse") -> None:
    from llm_incident_manager.cli import views

    views.listed(printer, found.incidents)
    if (total := found.pagination.total_count) > len(found.incidents):
        total_text = f"at least {total}" if found.pagination.total_count_is_lower_bound else str(total)
        print(f"{len(found.incidents)} of {total_text}; --limit 0 shows all")


def filter_of(text: str, states: Sequence[State], severity: str) -> str:
    """One filter from a free one and the short options; all of them must hold."""
    parts = [f"({text})"] if text.strip() else []
    if states:
        parts.append("(" + " OR ".join(f'state = "{state}"' for state in states) + ")")
    if severity:
        parts.append(f"severity >= {_severity(severity)}")
    return " AND ".join(parts)


def _severity(text: str) -> str:
    from llm_incident_manager.cli.failures import BadUsage

    if text.upper() not in Severity.__members__:
        raise BadUsage(f"--severity {text!r} is none of {', '.join(Severity.__members__)}")
    return text.upper()


async def collect(
    client: "IncidentClient", text: str, order_by: str, limit: int, search: str = ""
) -> "pb.ListIncidentsResponse":
    """As many of the incidents that match as asked for, as one reply."""
    from llm_incident_client import pb

    found, token = pb.ListIncidentsResponse(), ""
    while True:
        left = min(limit - len(found.incidents), 100) if limit else 100
        page = await client.list_incidents(
            filter=text, order_by=order_by, page_size=left, page_token=token, search=search
        )
        found.incidents.extend(page.incidents)
        token = page.pagination.next_page_token
        if not token or (limit and len(found.incidents) >= limit):
            found.pagination.CopyFrom(page.pagination)
            return found


@options.command(app, "show")
def show(how: Invocation, incident_id: IncidentId, again: Watch = False) -> None:
    """Show one incident."""
    from llm_incident_manager.cli import connection, printing, repeating, views

    printer = printing.Printer(how)

    async def work(client: "IncidentClient") -> None:
        first = await client.get_incident(incident_id)

        async def draw() -> None:
            incident = await client.get_incident(first.id)
            printer.one(incident, lambda: views.show(printer, incident))

        if again:
            await repeating.draw_again(client, printer, draw, f'id = "{first.id}"')
        else:
            printer.one(first, lambda: views.show(printer, first))

    connection.call(how, work)


@options.command(app, "timeline")
def timeline(how: Invocation, incident_id: IncidentId) -> None:
    """Tell what happened to an incident, oldest first."""
    from llm_incident_manager.cli import connection, printing, views

    async def work(client: "IncidentClient") -> "list[pb.TimelineEntry]":
        return [entry async for entry in client.iter_timeline(incident_id, page_size=1000)]

    entries = connection.call(how, work)
    printer = printing.Printer(how)
    printer.many(entries, lambda: views.timeline(printer, entries))


@options.command(app, "watch")
def watch(
    how: Invocation,
    filter_text: Filter = "",
    snapshot: Annotated[bool, typer.Option("--snapshot", help="First show the open ones that match.")] = False,
    resume_token: Annotated[str, typer.Option("--resume-token", help="Continue after this change.")] = "",
    limit: Limit = 0,
) -> None:
    """Print each change as it happens, until interrupted."""
    from llm_incident_manager.cli import connection, printing, views

    printer = printing.Printer(how)

    async def work(client: "IncidentClient") -> None:
        left, changes = limit, client.watch(filter=filter_text, snapshot=snapshot, resume_token=resume_token)
        async with contextlib.aclosing(changes):
            async for change in changes:
                if printer.for_people:
                    print(views.change_line(printer, change), flush=True)
                else:
                    printer.put(change)
                left -= 1
                if left == 0:
                    return

    connection.call(how, work)

"""`incident …`: reading and watching incidents."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import options
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.domain import lifecycle
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.severity import Severity

if TYPE_CHECKING:  # what makes `--help` slow is imported where it is used
    from llm_incident_client import IncidentClient, pb

app = typer.Typer(no_args_is_help=True, help="Read, watch and move incidents.")

IncidentId = Annotated[str, typer.Argument(help="Id or number, for instance INC-20261121-00042.", metavar="INCIDENT")]
Filter = Annotated[str, typer.Option("--filter", help='For instance: severity >= P1 AND labels.region = "eu"')]
Limit = Annotated[int, typer.Option("--limit", help="How many at most; 0 for all.", min=0)]


@options.command(app, "list")
def list_incidents(
    how: Invocation,
    *,
    filter_text: Filter = "",
    states: Annotated[
        list[State] | None, typer.Option("--state", help="In one of these states.", case_sensitive=False)
    ] = None,
    only_open: Annotated[bool, typer.Option("--open", help="That still need somebody.")] = False,
    severity: Annotated[str, typer.Option("--severity", help="At least as severe as this, for instance P1.")] = "",
    order_by: Annotated[str, typer.Option("--order-by", help='For instance: "severity desc, create_time".')] = "",
    limit: Limit = 50,
) -> None:
    """List incidents, newest first."""
    from llm_incident_manager.cli import connection, printing

    wanted = [*(states or ()), *(sorted(lifecycle.OPEN_STATES) if only_open else ())]
    text = filter_of(filter_text, wanted, severity)

    found = connection.call(how, lambda client: collect(client, text, order_by, limit))
    if how.as_json:
        return printing.print_json(found)
    columns = ("NUMBER", "SEV", "STATE", "EVENTS", "LAST SEEN", "SERVICE", "TITLE")
    printing.table(columns, [_row(incident) for incident in found.incidents], styled=1)
    if (total := found.pagination.total_count) > len(found.incidents):
        print(f"{len(found.incidents)} of {total}; --limit 0 shows all")
    return None


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


async def collect(client: "IncidentClient", text: str, order_by: str, limit: int) -> "pb.ListIncidentsResponse":
    """As many of the incidents that match as asked for, as one reply."""
    from llm_incident_client import pb

    found, token = pb.ListIncidentsResponse(), ""
    while True:
        left = min(limit - len(found.incidents), 100) if limit else 100
        page = await client.list_incidents(filter=text, order_by=order_by, page_size=left, page_token=token)
        found.incidents.extend(page.incidents)
        token = page.pagination.next_page_token
        if not token or (limit and len(found.incidents) >= limit):
            found.pagination.CopyFrom(page.pagination)
            return found


def _row(incident: "pb.Incident") -> Sequence[str]:
    from llm_incident_manager.cli import printing

    return (
        incident.number,
        printing.severity(incident),
        printing.state(incident),
        str(incident.event_count),
        printing.moment(incident.last_seen_time),
        incident.service or incident.provider,
        incident.title,
    )


@options.command(app, "show")
def show(how: Invocation, incident_id: IncidentId) -> None:
    """Show one incident."""
    from llm_incident_manager.cli import connection, printing, views

    incident = connection.call(how, lambda client: client.get_incident(incident_id))
    if how.as_json:
        return printing.print_json(incident)
    return views.show(incident)


@options.command(app, "timeline")
def timeline(how: Invocation, incident_id: IncidentId) -> None:
    """Tell what happened to an incident, oldest first."""
    from llm_incident_manager.cli import connection, printing

    async def work(client: "IncidentClient") -> "list[pb.TimelineEntry]":
        return [entry async for entry in client.iter_timeline(incident_id, page_size=1000)]

    entries = connection.call(how, work)
    if how.as_json:
        for entry in entries:
            printing.print_json(entry)
        return
    rows = [(printing.moment(entry.time), entry.actor, entry.text) for entry in entries]
    printing.table(("TIME", "WHO", "WHAT"), rows)


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

    async def work(client: "IncidentClient") -> None:
        left, changes = limit, client.watch(filter=filter_text, snapshot=snapshot, resume_token=resume_token)
        async with contextlib.aclosing(changes):
            async for change in changes:
                if how.as_json:
                    printing.print_json(change)
                else:
                    print(views.change_line(change), flush=True)
                left -= 1
                if left == 0:
                    return

    connection.call(how, work)

"""`incident …`: merging, splitting, relating, what hangs on an incident, and figures over many."""

from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import aim, options
from llm_incident_manager.cli.aim import Actor, Etag
from llm_incident_manager.cli.incident import Filter, IncidentId
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.cli.verb import Why

if TYPE_CHECKING:
    from llm_incident_client import IncidentClient, pb

app = aim.app

Others = Annotated[list[str], typer.Argument(help="Ids or numbers.", metavar="INCIDENT...")]
Other = Annotated[str, typer.Argument(help="Id or number of the other one.", metavar="OTHER")]


@options.command(app, "merge")
def merge(how: Invocation, incident_id: IncidentId, others: Others, actor: Actor = "", etag: Etag = "") -> None:
    """Merge other open incidents into the first one. Their later events land there, too."""
    from llm_incident_manager.cli import connection, printing

    merged = connection.call(how, lambda client: client.merge(incident_id, others, actor=how.actor(actor), etag=etag))
    printing.Printer(how).one(merged, lambda: print(printing.line(merged)))


@options.command(app, "unmerge")
def unmerge(how: Invocation, incident_id: IncidentId, reason: Why = "", actor: Actor = "", etag: Etag = "") -> None:
    """Take an incident out again that was merged into another one."""
    from llm_incident_manager.cli import connection, printing

    answer = connection.call(
        how, lambda client: client.unmerge(incident_id, reason=reason, actor=how.actor(actor), etag=etag)
    )
    printing.Printer(how).one(answer, lambda: print(printing.line(answer.incident)))


@options.command(app, "split")
def split(
    how: Invocation,
    incident_id: IncidentId,
    event_ids: Annotated[list[str], typer.Argument(help="Ids of the events that leave.", metavar="EVENT...")],
    *,
    title: Annotated[str, typer.Option("--title", help="Of the new incident; that of its first event if empty.")] = "",
    reason: Why = "",
    actor: Actor = "",
    etag: Etag = "",
) -> None:
    """Take events out of an open incident into a new one."""
    from llm_incident_manager.cli import connection, printing, views

    answer = connection.call(
        how,
        lambda client: client.split(
            incident_id, event_ids, title=title, reason=reason, actor=how.actor(actor), etag=etag
        ),
    )
    printing.Printer(how).one(answer, lambda: views.split(answer))


@options.command(app, "related")
def related(how: Invocation, incident_id: IncidentId) -> None:
    """List the incidents that one has to do with: merged, split, linked, before and after it."""
    from llm_incident_manager.cli import connection, printing, views

    async def work(client: "IncidentClient") -> "list[pb.RelatedIncident]":
        return [one async for one in client.iter_related(incident_id)]

    found = connection.call(how, work)
    printer = printing.Printer(how)
    printer.many(found, lambda: views.related(printer, found))


@options.command(app, "link")
def link(how: Invocation, incident_id: IncidentId, other: Other, reason: Why = "", actor: Actor = "") -> None:
    """Say that two incidents have to do with each other."""
    from llm_incident_manager.cli import connection, printing

    linked = connection.call(how, lambda client: client.link(incident_id, other, reason=reason, actor=how.actor(actor)))
    printing.Printer(how).one(linked, lambda: print(f"linked to {printing.line(linked.incident)}"))


@options.command(app, "unlink")
def unlink(how: Invocation, incident_id: IncidentId, other: Other, actor: Actor = "") -> None:
    """Take a link back."""
    from llm_incident_manager.cli import connection, printing

    incident = connection.call(how, lambda client: client.unlink(incident_id, other, actor=how.actor(actor)))
    printing.Printer(how).one(incident, lambda: print(f"no longer linked: {printing.line(incident)}"))


@options.command(app, "notes")
def notes(how: Invocation, incident_id: IncidentId) -> None:
    """List what people have noted, oldest first."""
    from llm_incident_manager.cli import connection, printing, views

    async def work(client: "IncidentClient") -> "list[pb.TimelineEntry]":
        return [note async for note in client.iter_notes(incident_id)]

    found = connection.call(how, work)
    printer = printing.Printer(how)
    printer.many(found, lambda: views.timeline(printer, found))


@options.command(app, "attach")
def attach(
    how: Invocation,
    incident_id: IncidentId,
    url: Annotated[str, typer.Argument(help="Where it is: http or https. Nothing is fetched.", metavar="URL")],
    *,
    title: Annotated[str, typer.Option("--title", help="One line for people.")] = "",
    media_type: Annotated[str, typer.Option("--media-type", help="For instance image/png.")] = "",
    actor: Actor = "",
) -> None:
    """Attach a link to material elsewhere."""
    from llm_incident_manager.cli import connection, printing, views

    attached = connection.call(
        how,
        lambda client: client.add_attachment(
            incident_id, url, title=title, media_type=media_type, actor=how.actor(actor)
        ),
    )
    printer = printing.Printer(how)
    printer.one(attached, lambda: views.attachments(printer, [attached]))


@options.command(app, "attachments")
def attachments(how: Invocation, incident_id: IncidentId) -> None:
    """List the attached links, oldest first."""
    from llm_incident_manager.cli import connection, printing, views

    found = connection.call(how, lambda client: client.list_attachments(incident_id, page_size=200))
    printer = printing.Printer(how)
    printer.many(found.attachments, lambda: views.attachments(printer, found.attachments))


@options.command(app, "detach")
def detach(
    how: Invocation,
    incident_id: IncidentId,
    attachment_id: Annotated[str, typer.Argument(help="As `attachments` prints it.", metavar="ATTACHMENT")],
    actor: Actor = "",
) -> None:
    """Remove an attached link."""
    from llm_incident_manager.cli import connection, printing, views

    removed = connection.call(
        how, lambda client: client.remove_attachment(incident_id, attachment_id, actor=how.actor(actor))
    )
    printer = printing.Printer(how)
    printer.one(removed, lambda: views.attachments(printer, [removed]))


@options.command(app, "metrics")
def metrics(
    how: Invocation,
    *,
    filter_text: Filter = "",
    start: Annotated[str, typer.Option("--start", help="Opened on or after this date or time.")] = "",
    end: Annotated[str, typer.Option("--end", help="Opened up to and including this date or time.")] = "",
    group_by: Annotated[str, typer.Option("--group-by", help="For instance severity, source or service.")] = "",
) -> None:
    """Tell how many incidents there were, and the mean times to detect, acknowledge and resolve them."""
    from llm_incident_manager.cli import connection, printing, views

    answer = connection.call(
        how,
        lambda client: client.get_metrics(start=start, end=end, filter=filter_text, group_by=group_by),
    )
    printer = printing.Printer(how)
    printer.one(answer, lambda: views.figures(printer, answer))

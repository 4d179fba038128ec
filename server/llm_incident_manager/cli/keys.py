"""`keys …`: API keys. A key is told once, on standard output or into a file that only its owner can read."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import options, private, snooze
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.domain import moments, time

if TYPE_CHECKING:
    from llm_incident_client import pb

app = typer.Typer(no_args_is_help=True, help="API keys: what a service shows to be let in.")

Id = Annotated[str, typer.Argument(metavar="ID", help="As `list` prints it.")]
Out = Annotated[
    Path | None, typer.Option("--out", help="Write the key into this new file instead, which only you can read.")
]


@options.command(app, "create")
def create(  # noqa: PLR0913 - one argument an option
    how: Invocation,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    role: Annotated[list[str], typer.Option("--role", help="A role; may be given several times.")],
    subject: Annotated[str, typer.Option("--subject", help="Who calls with it; key:ID unless given.")] = "",
    service: Annotated[list[str] | None, typer.Option("--service", help="Only for incidents of this service.")] = None,
    team: Annotated[list[str] | None, typer.Option("--team", help="Only for incidents of this team.")] = None,
    expires: Annotated[str, typer.Option("--expires", help="A time such as 2027-01-01T00:00:00Z, or a date.")] = "",
    lasts: Annotated[str, typer.Option("--for", help="How long it holds, for instance 90d.")] = "",
    tier: Annotated[str, typer.Option("--tier", help="The limits it goes by, from who may write tenants.")] = "",
    tenant: Annotated[str, typer.Option("--tenant", help="Another tenant, for those who look after tenants.")] = "",
    out: Out = None,
) -> None:
    """Make an API key and print it, this once."""
    from llm_incident_manager.cli import connection, printing

    end = _end(expires, lasts)
    _refuse_existing(out)
    made = connection.call(
        how,
        lambda client: client.create_api_key(
            name,
            role,
            subject=subject,
            services=service or (),
            teams=team or (),
            expires_at=end,
            tier=tier,
            tenant_id=tenant,
        ),
    )
    printer = printing.Printer(how)
    if out is not None:
        _write(out, made.secret)
        made.ClearField("secret")
    printer.one(made, lambda: _told(made.api_key, made.secret, out))


@options.command(app, "list")
def list_keys(
    how: Invocation,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that were revoked or have expired.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="How many at most; 0 for all.", min=0)] = 100,
) -> None:
    """List API keys, newest first."""
    from llm_incident_manager.cli import access_views, connection, printing

    found = connection.listed(
        how, lambda client: client.iter_api_keys(show_revoked=everything, page_size=min(limit or 1000, 1000)), limit
    )
    printer = printing.Printer(how)
    printer.many(found, lambda: access_views.keys(printer, found))


@options.command(app, "show")
def show(how: Invocation, id_: Id) -> None:
    """Show one API key, without its secret."""
    from llm_incident_manager.cli import access_views, connection, printing

    found = connection.call(how, lambda client: client.get_api_key(id_))
    printer = printing.Printer(how)
    printer.one(found, lambda: access_views.key(printer, found))


@options.command(app, "rotate")
def rotate(
    how: Invocation,
    id_: Id,
    *,
    overlap: Annotated[str, typer.Option("--overlap", help="How long the old one works still: 1h, 7d.")] = "",
    out: Out = None,
) -> None:
    """Give an API key another secret, and print it, this once."""
    from llm_incident_manager.cli import connection, printing

    stretch = timedelta(microseconds=snooze.span(overlap, "--overlap") if overlap else 0)
    _refuse_existing(out)
    made = connection.call(how, lambda client: client.rotate_api_key(id_, overlap=stretch))
    printer = printing.Printer(how)
    if out is not None:
        _write(out, made.secret)
        made.ClearField("secret")
    printer.one(made, lambda: _told(made.api_key, made.secret, out))


@options.command(app, "revoke")
def revoke(
    how: Invocation, id_: Id, *, reason: Annotated[str, typer.Option("--reason", help="Why, for the audit.")] = ""
) -> None:
    """Revoke an API key for ever."""
    from llm_incident_manager.cli import access_views, connection, printing

    found = connection.call(how, lambda client: client.revoke_api_key(id_, reason=reason))
    printer = printing.Printer(how)
    printer.one(found, lambda: access_views.key(printer, found))


def _end(expires: str, lasts: str) -> datetime | None:
    from llm_incident_manager.adapters.clock import SystemClock

    if expires and lasts:
        raise BadUsage("until when? Give --expires TIME or --for STRETCH, one of them")
    if lasts:
        return time.to_datetime(SystemClock().now()) + timedelta(microseconds=snooze.span(lasts))
    try:
        return time.to_datetime(moments.parse(expires).first) if expires else None
    except ValueError as error:
        raise BadUsage(f"--expires: {error}") from error


def _refuse_existing(out: Path | None) -> None:
    """Before anything is made: a key that cannot be told is of no use."""
    if out is not None and (out.exists() or not out.absolute().parent.is_dir()):
        raise BadUsage(f"--out {out}: name a file that does not exist, in a directory that does")


def _write(out: Path, key: str) -> None:
    with private.new_file(out) as target:
        target.write(f"{key}\n".encode("ascii"))


def _told(made: "pb.ApiKey", key: str, out: Path | None) -> None:
    """The key alone on standard output, so that a script can take it; what is to be said about it beside."""
    where = f"in {out}" if out is not None else "shown now and never again"
    print(f"API key {made.id} of {made.subject} ({', '.join(made.roles)}), {where}", file=sys.stderr)
    if out is None:
        print(key)

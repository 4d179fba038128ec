"""`roles …`: what callers may do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import options
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.cli.options import Invocation
from llm_incident_manager.domain.access import PERMISSIONS

if TYPE_CHECKING:
    from llm_incident_client import pb

app = typer.Typer(no_args_is_help=True, help="Roles: what callers may do.")

Name = Annotated[str, typer.Argument(help="The name of the role.")]
Allowed = Annotated[
    list[str], typer.Option("--permission", help=f"Several times; of {', '.join(PERMISSIONS)}.", metavar="PERMISSION")
]
About = Annotated[str, typer.Option("--description", help="What it is for.")]


@options.command(app, "list")
def list_roles(how: Invocation) -> None:
    """List the roles, built-in ones first."""
    from llm_incident_manager.cli import access_views, connection, printing

    found = connection.call(how, lambda client: client.list_roles()).roles
    printer = printing.Printer(how)
    printer.many(found, lambda: access_views.roles(printer, found))


@options.command(app, "show")
def show(how: Invocation, name: Name) -> None:
    """Show one role."""
    from llm_incident_manager.cli import access_views, connection, printing

    found = connection.call(how, lambda client: client.get_role(name))
    printer = printing.Printer(how)
    printer.one(found, lambda: access_views.role(printer, found))


@options.command(app, "create")
def create(how: Invocation, name: Name, *, permission: Allowed, description: About = "") -> None:
    """Make a role."""
    from llm_incident_manager.cli import access_views, connection, printing

    wanted = _permissions(permission)
    made = connection.call(how, lambda client: client.create_role(name, wanted, description=description))
    printer = printing.Printer(how)
    printer.one(made, lambda: access_views.role(printer, made))


@options.command(app, "update")
def update(
    how: Invocation,
    name: Name,
    *,
    permission: Allowed,
    description: About = "",
    etag: Annotated[str, typer.Option("--etag", help="Only if it still is this one.")] = "",
) -> None:
    """Say anew what a role allows; it counts within seconds for all who have it."""
    from llm_incident_manager.cli import access_views, connection, printing

    wanted = _permissions(permission)
    made = connection.call(how, lambda client: client.update_role(name, wanted, description=description, etag=etag))
    printer = printing.Printer(how)
    printer.one(made, lambda: access_views.role(printer, made))


@options.command(app, "delete")
def delete(how: Invocation, name: Name) -> None:
    """Delete a role that no API key has."""
    from llm_incident_manager.cli import access_views, connection, printing

    gone = connection.call(how, lambda client: client.delete_role(name))
    printer = printing.Printer(how)
    printer.one(gone, lambda: access_views.role(printer, gone))


def _permissions(words: Sequence[str]) -> "list[pb.Permission.ValueType]":
    from llm_incident_client import pb

    wanted = [word.strip().upper().replace("-", "_") for text in words for word in text.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in PERMISSIONS]
    if unknown:
        raise BadUsage(f"--permission {unknown[0]!r} is none of {', '.join(PERMISSIONS)}")
    return [pb.Permission.Value(f"PERMISSION_{word}") for word in dict.fromkeys(wanted)]

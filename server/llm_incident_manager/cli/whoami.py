"""`whoami`: the caller as the server sees it."""

import typer

from llm_incident_manager.cli import options
from llm_incident_manager.cli.options import Invocation


def add_to(group: typer.Typer) -> None:
    """Adds the command to a group."""
    options.command(group, "whoami")(whoami)


def whoami(how: Invocation) -> None:
    """Show who you are to the server, how that was proven, and what you may do."""
    from llm_incident_manager.cli import access_views, connection, printing

    found = connection.call(how, lambda client: client.who_am_i())
    printer = printing.Printer(how)
    printer.one(found, lambda: access_views.principal(printer, found))

"""`certs deny`, `certs allow` and `certs denied`: client certificates that are refused whoever has signed them."""

from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import options
from llm_incident_manager.cli.options import Invocation

if TYPE_CHECKING:
    from llm_incident_client import IncidentClient, pb

Fingerprint = Annotated[str, typer.Argument(help="SHA-256 of the certificate: openssl x509 -fingerprint -sha256")]


def add_to(group: typer.Typer) -> None:
    """Adds the commands to a group."""
    options.command(group, "deny")(deny)
    options.command(group, "allow")(allow)
    options.command(group, "denied")(denied)


def deny(
    how: Invocation,
    fingerprint: Fingerprint,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit.")] = "",
) -> None:
    """Refuse a client certificate from now on, and end the streams that were opened with it."""
    from llm_incident_manager.cli import access_views, connection, printing

    wanted = fingerprint.rpartition("=")[2]  # openssl writes "sha256 Fingerprint=" before it
    made = connection.call(how, lambda client: client.deny_certificate(wanted, reason=reason))
    printer = printing.Printer(how)
    printer.one(made, lambda: access_views.certificates(printer, [made]))


def allow(how: Invocation, fingerprint: Fingerprint) -> None:
    """End the refusal of a client certificate."""
    from llm_incident_manager.cli import access_views, connection, printing

    wanted = fingerprint.rpartition("=")[2]
    gone = connection.call(how, lambda client: client.allow_certificate(wanted))
    printer = printing.Printer(how)
    printer.one(gone, lambda: access_views.certificates(printer, [gone]))


def denied(how: Invocation) -> None:
    """List the refused client certificates, newest first."""
    from llm_incident_manager.cli import access_views, connection, printing

    async def work(client: "IncidentClient") -> "list[pb.DeniedCertificate]":
        return [certificate async for certificate in client.iter_denied_certificates()]

    found = connection.call(how, work)
    printer = printing.Printer(how)
    printer.many(found, lambda: access_views.certificates(printer, found))

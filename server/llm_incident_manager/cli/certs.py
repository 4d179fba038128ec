"""`certs dev`: certificates to try TLS with, made on this machine and good for nothing else."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from llm_incident_manager.cli import failures
from llm_incident_manager.cli.failures import Exit

app = typer.Typer(no_args_is_help=True, help="Certificates of clients: which are refused, and some for development.")

_CONFIGURATION = """\
tls:
  certificate_file: {folder}/server.pem
  key_file: {folder}/server-key.pem
  client_ca_file: {folder}/ca.pem
  client_certificates: required
  trust_domain: {trust_domain}
  identities:
{identities}
"""
_ROLES = {
    "sentinel": "producer, viewer",
    "shield": "producer, responder",
    "edge-agent": "edge_agent",
    "governance": "auditor",
    "operator": "platform_admin",
}
"""What they may do beside reporting; the others report."""


@app.command("dev")
def dev(
    out: Annotated[Path, typer.Option("--out", help="Directory to write them into.")] = Path("certs"),
    host: Annotated[
        list[str] | None,
        typer.Option("--host", help="Name or address of the server beside localhost; may be given several times."),
    ] = None,
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant that the services belong to.")] = "default",
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Make a certificate authority, a server certificate and one for each service: sentinel, shield, edge-agent,
    governance, operator. Prints the configuration that uses them.

    For development: the authority's key lies beside them.
    """
    from llm_incident_manager.adapters.certificates import making
    from llm_incident_manager.adapters.clock import SystemClock

    with failures.reported():
        try:
            made = making.make_development(
                out, SystemClock().now(), hosts=tuple(host or ()), tenant=tenant, force=force
            )
        except (making.AlreadyThere, ValueError, OSError) as refused:
            print(f"error: {refused}", file=sys.stderr)
            raise typer.Exit(Exit.FAILED) from None
    for path in made:
        print(f"made {path}", file=sys.stderr)
    print(f"valid for {making.VALID.days} days, for development only", file=sys.stderr)
    identities = "\n".join(
        f'    - {{uri: "{making.service_uri(who, tenant)}", subject: {who}, tenant: {tenant}, roles: [{roles}]}}'
        for who, roles in _ROLES.items()
    )
    print(_CONFIGURATION.format(folder=out, trust_domain=making.TRUST_DOMAIN, identities=identities), end="")

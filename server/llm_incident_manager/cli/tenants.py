"""`tenants …`: who shares an installation without seeing each other."""

import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_incident_manager.cli import options
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.cli.options import Invocation

if TYPE_CHECKING:
    from llm_incident_client import IncidentClient, pb

app = typer.Typer(no_args_is_help=True, help="Tenants: who shares an installation without seeing each other.")

Id = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")]
DisplayName = Annotated[str, typer.Option("--name", help="Its name for people.")]
Events = Annotated[int | None, typer.Option("--events-per-second", help="How many events it may send.", min=0)]
Calls = Annotated[int | None, typer.Option("--calls-per-minute", help="How many calls its callers together.", min=0)]
Burst = Annotated[int | None, typer.Option("--burst", help="How many of those at once.", min=0)]


class State(StrEnum):
    """Whether a tenant is served."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@options.command(app, "list")
def list_tenants(how: Invocation) -> None:
    """List the tenants."""
    from llm_incident_manager.cli import access_views, connection, printing

    async def work(client: "IncidentClient") -> "list[pb.Tenant]":
        return [tenant async for tenant in client.iter_tenants()]

    found = connection.call(how, work)
    printer = printing.Printer(how)
    printer.many(found, lambda: access_views.tenants(printer, found))


@options.command(app, "show")
def show(how: Invocation, tenant: Id) -> None:
    """Show one tenant."""
    from llm_incident_manager.cli import access_views, connection, printing

    found = connection.call(how, lambda client: client.get_tenant(tenant))
    printer = printing.Printer(how)
    printer.one(found, lambda: access_views.tenant(printer, found))


@options.command(app, "create")
def create(
    how: Invocation,
    tenant: Id,
    *,
    name: DisplayName = "",
    events: Events = None,
    calls: Calls = None,
    burst: Burst = None,
) -> None:
    """Make a tenant."""
    from llm_incident_client import pb
    from llm_incident_manager.cli import access_views, connection, printing

    limits = pb.TenantLimits(events_per_second=events or 0, calls_per_minute=calls or 0, burst=burst or 0)
    made = connection.call(how, lambda client: client.create_tenant(tenant, display_name=name, limits=limits))
    printer = printing.Printer(how)
    printer.one(made, lambda: access_views.tenant(printer, made))


@options.command(app, "update")
def update(
    how: Invocation,
    tenant: Id,
    *,
    name: DisplayName = "",
    state: Annotated[State | None, typer.Option("--state", help="Callers of a suspended one are refused.")] = None,
    events: Events = None,
    calls: Calls = None,
    burst: Burst = None,
) -> None:
    """Rename, limit, suspend or resume a tenant; what is not given stays."""
    from llm_incident_client import pb
    from llm_incident_manager.cli import access_views, connection, printing

    async def work(client: "IncidentClient") -> "pb.Tenant":
        wanted = pb.TenantState.Value(f"TENANT_STATE_{'UNSPECIFIED' if state is None else state.upper()}")
        if events is None and calls is None and burst is None:
            return await client.update_tenant(tenant, display_name=name, state=wanted)
        before = await client.get_tenant(tenant)  # limits are given together; those not named stay
        kept = before.limits
        limits = pb.TenantLimits(
            events_per_second=kept.events_per_second if events is None else events,
            calls_per_minute=kept.calls_per_minute if calls is None else calls,
            burst=kept.burst if burst is None else burst,
        )
        return await client.update_tenant(tenant, display_name=name, state=wanted, limits=limits, etag=before.etag)

    made = connection.call(how, work)
    printer = printing.Printer(how)
    printer.one(made, lambda: access_views.tenant(printer, made))


@options.command(app, "export")
def export(
    how: Invocation,
    tenant: Id,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A new file; standard output without.")] = None,
) -> None:
    """Export everything a tenant has, as JSON lines; only you can read the file."""
    from llm_incident_manager.cli import connection, private

    if file is not None and file.exists():
        raise BadUsage(f"{file} exists already: remove it, or name another file")

    async def work(client: "IncidentClient") -> int:
        lines = 0
        with (
            nullcontext(sys.stdout.buffer) if file is None else private.new_file(file) as target
        ):  # nothing else runs here
            async for chunk in client.export_tenant(tenant):
                target.write(chunk)
                lines += chunk.count(b"\n")
            target.flush()
        return lines

    lines = connection.call(how, work)
    if file is not None:
        print(f"exported {lines:,} lines into {file}")


@options.command(app, "erase")
def erase(
    how: Invocation,
    tenant: Id,
    *,
    confirm: Annotated[str, typer.Option("--confirm", metavar="TENANT", help="The tenant's id once more.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit.")] = "",
) -> None:
    """Delete everything a tenant has but its audit, for ever."""
    from llm_incident_manager.cli import access_views, connection, printing

    erased = connection.call(how, lambda client: client.erase_tenant(tenant, confirm=confirm, reason=reason))
    printer = printing.Printer(how)
    printer.one(erased, lambda: access_views.tenant(printer, erased))

"""How API keys, roles, tenants, refused certificates and principals look to people."""

from collections.abc import Iterable, Sequence
from typing import Any

from llm_incident_client import pb
from llm_incident_manager.cli.printing import Printer


def principal(printer: Printer, who: pb.Principal) -> None:
    """Prints who calls."""
    printer.details(
        (
            ("subject", who.subject),
            ("tenant", who.tenant),
            ("roles", ", ".join(who.roles)),
            ("permissions", _permissions(who.permissions)),
            ("services", ", ".join(who.condition.services)),
            ("teams", ", ".join(who.condition.teams)),
            ("proven by", f"{who.proven_by} {who.credential}"),
            ("expires", _at(printer, who, "expire_time")),
        )
    )


def keys(printer: Printer, found: Sequence[pb.ApiKey]) -> None:
    """Prints keys, one a row."""
    rows = [
        (
            one.id,
            one.subject,
            ", ".join(one.roles),
            _at(printer, one, "last_used_time") or "never",
            _at(printer, one, "revoke_time") or _at(printer, one, "expire_time"),
            one.display_name,
        )
        for one in found
    ]
    printer.table(("ID", "SUBJECT", "ROLES", "LAST USED", "ENDS", "NAME"), rows)


def key(printer: Printer, one: pb.ApiKey) -> None:
    """Prints a key, field below field."""
    printer.details(
        (
            ("id", one.id),
            ("name", one.display_name),
            ("subject", one.subject),
            ("roles", ", ".join(one.roles)),
            ("services", ", ".join(one.condition.services)),
            ("teams", ", ".join(one.condition.teams)),
            ("tier", one.tier),
            ("made", f"{_at(printer, one, 'create_time')} by {one.create_actor}"),
            ("expires", _at(printer, one, "expire_time")),
            ("last used", _at(printer, one, "last_used_time")),
            ("rotated", _at(printer, one, "rotate_time")),
            ("former works until", _at(printer, one, "former_expire_time")),
            ("revoked", _at(printer, one, "revoke_time")),
            ("reason", one.revoke_reason),
        )
    )


def roles(printer: Printer, found: Sequence[pb.Role]) -> None:
    """Prints roles, one a row."""
    rows = [(one.name, "yes" if one.built_in else "", _permissions(one.permissions), one.description) for one in found]
    printer.table(("NAME", "BUILT IN", "PERMISSIONS", "FOR"), rows)


def role(printer: Printer, one: pb.Role) -> None:
    """Prints a role, field below field."""
    printer.details(
        (
            ("name", one.name),
            ("for", one.description),
            ("permissions", _permissions(one.permissions)),
            ("built in", "yes" if one.built_in else ""),
            ("changed", _at(printer, one, "update_time")),
            ("etag", one.etag),
        )
    )


def tenants(printer: Printer, found: Sequence[pb.Tenant]) -> None:
    """Prints tenants, one a row."""
    rows = [(one.id, _state(one), _limits(one), _at(printer, one, "create_time"), one.display_name) for one in found]
    printer.table(("ID", "STATE", "LIMITS", "MADE", "NAME"), rows)


def tenant(printer: Printer, one: pb.Tenant) -> None:
    """Prints a tenant, field below field."""
    printer.details(
        (
            ("id", one.id),
            ("name", one.display_name),
            ("state", _state(one)),
            ("limits", _limits(one)),
            ("made", _at(printer, one, "create_time")),
            ("changed", _at(printer, one, "update_time")),
            ("etag", one.etag),
        )
    )


def certificates(printer: Printer, found: Sequence[pb.DeniedCertificate]) -> None:
    """Prints refused certificates, one a row."""
    rows = [(one.fingerprint, _at(printer, one, "create_time"), one.actor, one.reason) for one in found]
    printer.table(("FINGERPRINT", "SINCE", "BY", "REASON"), rows)


def _permissions(given: Iterable[pb.Permission.ValueType]) -> str:
    return ", ".join(pb.Permission.Name(number).removeprefix("PERMISSION_") for number in given)


def _state(one: pb.Tenant) -> str:
    return pb.TenantState.Name(one.state).removeprefix("TENANT_STATE_")


def _limits(one: pb.Tenant) -> str:
    """Those that are not left to the configuration."""
    limits = one.limits
    named = (
        (limits.events_per_second, "events/s"),
        (limits.calls_per_minute, "calls/min"),
        (limits.burst, "at once"),
    )
    return ", ".join(f"{number:,} {unit}" for number, unit in named if number)


def _at(printer: Printer, message: Any, field: str) -> str:  # noqa: ANN401 - a message with that field
    return printer.moment(getattr(message, field)) if message.HasField(field) else ""

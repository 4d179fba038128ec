"""API keys, roles, tenants, refused certificates and principals to protobuf, and back."""

from collections.abc import Iterable

from incidentmanager.v1 import api_key_pb2, denied_certificate_pb2, options_pb2, principal_pb2, role_pb2, tenant_pb2

from llm_incident_manager.domain.access import EVERYWHERE, Condition, CustomRole, DeniedCertificate, Principal
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.tenants import Tenant, TenantLimits, TenantState
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.transport.translate import times

_PERMISSION = "PERMISSION_"
_STATE = "TENANT_STATE_"


def principal(who: Principal) -> principal_pb2.Principal:
    """Who calls."""
    return principal_pb2.Principal(
        tenant=who.tenant,
        subject=who.subject,
        roles=sorted(who.roles),
        permissions=permissions(who.permissions),
        condition=condition(who.condition),
        proven_by=who.proven_by,
        credential=who.credential,
        expire_time=times.maybe_timestamp(who.expires_at),
    )


def api_key(key: ApiKey, now: Instant) -> api_key_pb2.ApiKey:
    """A key, as it is now."""
    end = key.former_expires_at
    return api_key_pb2.ApiKey(
        id=key.id,
        display_name=key.display_name,
        subject=key.subject,
        roles=key.roles,
        condition=condition(key.condition),
        create_time=times.timestamp(key.created_at),
        create_actor=key.created_by,
        expire_time=times.maybe_timestamp(key.expires_at),
        last_used_time=times.maybe_timestamp(key.last_used_at),
        revoke_time=times.maybe_timestamp(key.revoked_at),
        revoke_reason=key.revoke_reason,
        rotate_time=times.maybe_timestamp(key.rotated_at),
        former_expire_time=times.timestamp(end) if end is not None and end > now else None,
        tier=key.tier,
    )


def custom_role(role: CustomRole) -> role_pb2.Role:
    """A role of a tenant's own."""
    return role_pb2.Role(
        name=role.name,
        description=role.description,
        permissions=permissions(role.permissions),
        update_time=times.timestamp(role.updated_at),
        etag=str(role.revision),
    )


def built_in_role(name: str, description: str, allowed: Iterable[str]) -> role_pb2.Role:
    """A role that comes with the product."""
    return role_pb2.Role(name=name, description=description, permissions=permissions(allowed), built_in=True)


def tenant(of: Tenant) -> tenant_pb2.Tenant:
    """A tenant."""
    limits = of.limits
    return tenant_pb2.Tenant(
        id=of.id,
        display_name=of.display_name,
        state=tenant_pb2.TenantState.Value(f"{_STATE}{of.state}"),
        limits=tenant_pb2.TenantLimits(
            events_per_second=limits.events_per_second, calls_per_minute=limits.calls_per_minute, burst=limits.burst
        ),
        create_time=times.timestamp(of.created_at),
        update_time=times.timestamp(of.updated_at),
        etag=str(of.revision),
    )


def denied_certificate(denied: DeniedCertificate) -> denied_certificate_pb2.DeniedCertificate:
    """A refused certificate."""
    return denied_certificate_pb2.DeniedCertificate(
        fingerprint=denied.fingerprint.hex(),
        reason=denied.reason,
        actor=denied.actor,
        create_time=times.timestamp(denied.created_at),
    )


def condition(of: Condition) -> role_pb2.ResourceCondition | None:
    """A condition, or None: an absent field."""
    if of == EVERYWHERE:
        return None
    return role_pb2.ResourceCondition(services=sorted(of.services), teams=sorted(of.teams))


def permissions(names: Iterable[str]) -> list[options_pb2.Permission.ValueType]:
    """Permissions in the contract's order."""
    return sorted(options_pb2.Permission.Value(f"{_PERMISSION}{name}") for name in names)


def condition_in(given: role_pb2.ResourceCondition) -> Condition:
    """The condition of a request; an absent one narrows nothing."""
    return Condition(frozenset(given.services), frozenset(given.teams))


def permissions_in(given: Iterable[options_pb2.Permission.ValueType]) -> frozenset[str]:
    """The permissions of a request."""
    return frozenset(options_pb2.Permission.Name(number).removeprefix(_PERMISSION) for number in given)


def state_in(given: tenant_pb2.TenantState.ValueType) -> TenantState | None:
    """The state of a request; None when it says nothing."""
    return TenantState(tenant_pb2.TenantState.Name(given).removeprefix(_STATE)) if given else None


def limits_in(given: tenant_pb2.TenantLimits) -> TenantLimits:
    """The limits of a request."""
    return TenantLimits(given.events_per_second, given.calls_per_minute, given.burst)


def fingerprint_in(given: str) -> bytes:
    """A fingerprint that the checker has let through: with or without colons."""
    return bytes.fromhex(given.replace(":", ""))

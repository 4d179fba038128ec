"""API keys, roles, tenants and refused certificates between rows and values; the same for both databases."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, assert_never

import orjson

from llm_incident_manager.domain.access import Condition, CustomRole, DeniedCertificate
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import Tenant, TenantLimits, TenantState
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.access_store import AccessRow, CertificateAllowed, KeyQuery, RoleRemoved

LAST = (Instant(2**63 - 1), "")
"""Behind every refused certificate."""


class Statement(NamedTuple):
    """The name of a statement and its values."""

    name: str
    values: tuple[Any, ...]


def statements(rows: Iterable[AccessRow]) -> Iterator[Statement]:
    """What writes these rows, in their order."""
    for row in rows:
        match row:
            case ApiKey():
                yield Statement("save_api_key", _key_row(row))
            case CustomRole():
                yield Statement("save_role", _role_row(row))
            case Tenant():
                yield Statement("save_tenant", _tenant_row(row))
            case DeniedCertificate():
                yield Statement("deny_certificate", _denied_row(row))
            case RoleRemoved():
                yield Statement("remove_role", tuple(row))
            case CertificateAllowed():
                yield Statement("allow_certificate", (row.fingerprint.hex(),))
            case _:
                assert_never(row)


def key_of(row: Sequence[Any]) -> ApiKey:
    """The key of a row."""
    (id_, tenant, display_name, subject, roles, services, teams, tier, pepper, digest, created_at, created_by) = row[
        :12
    ]
    (revision, issue, expires_at, former, former_expires_at, rotated_at, revoked_at, why, last_used_at) = row[12:]
    return ApiKey(
        id=id_,
        tenant=TenantId(tenant),
        display_name=display_name,
        subject=subject,
        roles=tuple(orjson.loads(roles)),
        condition=Condition(frozenset(orjson.loads(services)), frozenset(orjson.loads(teams))),
        tier=tier,
        pepper=pepper,
        digest=digest,
        created_at=created_at,
        created_by=created_by,
        revision=revision,
        issue=issue,
        expires_at=expires_at,
        former_digest=former,
        former_expires_at=former_expires_at,
        rotated_at=rotated_at,
        revoked_at=revoked_at,
        revoke_reason=why,
        last_used_at=last_used_at,
    )


def role_of(row: Sequence[Any]) -> CustomRole:
    """The role of a row."""
    tenant, name, description, permissions, updated_at, revision = row
    return CustomRole(TenantId(tenant), name, description, frozenset(orjson.loads(permissions)), updated_at, revision)


def tenant_of(row: Sequence[Any]) -> Tenant:
    """The tenant of a row."""
    id_, display_name, state, *limits, created_at, updated_at, revision = row
    kept = TenantLimits(*limits)
    return Tenant(TenantId(id_), display_name, TenantState(state), kept, created_at, updated_at, revision)


def denied_of(row: Sequence[Any]) -> DeniedCertificate:
    """The refused certificate of a row."""
    fingerprint, *rest = row
    return DeniedCertificate(bytes.fromhex(fingerprint), *rest)


def page_of(query: KeyQuery) -> tuple[Any, ...]:
    """The values of a page of keys: tenant, before, limit, now, revoked."""
    return query.tenant, query.before, query.limit, query.now, query.revoked


def behind(before: tuple[Instant, bytes] | None) -> tuple[Instant, str]:
    """Where a page of refused certificates begins."""
    return LAST if before is None else (before[0], before[1].hex())


def _key_row(key: ApiKey) -> tuple[Any, ...]:
    return (
        key.id,
        key.tenant,
        key.display_name,
        key.subject,
        _json(key.roles),
        _json(sorted(key.condition.services)),
        _json(sorted(key.condition.teams)),
        key.tier,
        key.pepper,
        key.digest,
        key.created_at,
        key.created_by,
        key.revision,
        key.issue,
        key.expires_at,
        key.former_digest,
        key.former_expires_at,
        key.rotated_at,
        key.revoked_at,
        key.revoke_reason,
    )


def _role_row(role: CustomRole) -> tuple[Any, ...]:
    allowed = _json(sorted(role.permissions))
    return role.tenant, role.name, role.description, allowed, role.updated_at, role.revision


def _denied_row(denied: DeniedCertificate) -> tuple[Any, ...]:
    return denied.fingerprint.hex(), denied.reason, denied.actor, denied.created_at, denied.revision


def _tenant_row(tenant: Tenant) -> tuple[Any, ...]:
    limits = tenant.limits
    return (
        tenant.id,
        tenant.display_name,
        tenant.state,
        limits.events_per_second,
        limits.calls_per_minute,
        limits.burst,
        tenant.created_at,
        tenant.updated_at,
        tenant.revision,
    )


def _json(words: Sequence[str]) -> str:
    return orjson.dumps(words).decode()

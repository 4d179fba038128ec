"""What a change of access has changed, as text for the audit: keys, roles, tenants and refusals; no secret."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from llm_incident_manager.domain.access import CustomRole, DeniedCertificate
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.changed_fields import Difference, short
from llm_incident_manager.domain.tenants import Tenant
from llm_incident_manager.domain.time import Instant, rfc3339

Subject: TypeAlias = ApiKey | CustomRole | DeniedCertificate | Tenant
"""What the audit tells changes of."""


def between(before: Subject | None, after: Subject | None) -> Difference:
    """The fields that differ, as they were and as they are. None: it was not there, or is not any more; of what was not
    there, only what is set."""
    was, is_ = facts(before), facts(after)
    names = [name for name in {**was, **is_} if was.get(name, "") != is_.get(name, "")]
    return Difference(_of(was, names), _of(is_, names))


def facts(subject: Subject | None) -> Mapping[str, str]:
    """What can be said of it, by name; empty for what is not set, and of nothing, nothing."""
    if subject is None:
        return {}
    return {name: short(text) for name, text in _TELLING[type(subject)](subject).items()}


def _of(found: Mapping[str, str], names: list[str]) -> Mapping[str, str]:
    return {name: found[name] for name in names if name in found}


def _moment(at: Instant | None) -> str:
    return "" if at is None else rfc3339(at)


def _key(key: ApiKey) -> dict[str, str]:
    return {
        "display_name": key.display_name,
        "subject": key.subject,
        "roles": ",".join(key.roles),
        "services": ",".join(sorted(key.condition.services)),
        "teams": ",".join(sorted(key.condition.teams)),
        "tier": key.tier,
        "issue": str(key.issue),
        "expires_at": _moment(key.expires_at),
        "former_expires_at": _moment(key.former_expires_at),
        "revoked_at": _moment(key.revoked_at),
        "revoke_reason": key.revoke_reason,
    }


def _role(role: CustomRole) -> dict[str, str]:
    return {"permissions": ",".join(sorted(role.permissions)), "description": role.description}


def _tenant(tenant: Tenant) -> dict[str, str]:
    limits = tenant.limits
    return {
        "display_name": tenant.display_name,
        "state": str(tenant.state),
        "events_per_second": str(limits.events_per_second),
        "calls_per_minute": str(limits.calls_per_minute),
        "burst": str(limits.burst),
    }


def _refusal(denied: DeniedCertificate) -> dict[str, str]:
    return {"denied": "true", "reason": denied.reason}


_TELLING: Mapping[type, Callable[[Any], dict[str, str]]] = MappingProxyType(
    {ApiKey: _key, CustomRole: _role, Tenant: _tenant, DeniedCertificate: _refusal}
)

"""API keys, roles, tenants and refused certificates with everything in them."""

from llm_incident_manager.domain.access import Condition, CustomRole, DeniedCertificate
from llm_incident_manager.domain.api_keys import ApiKey, key_id
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.tenants import Tenant, TenantLimits, TenantState
from llm_incident_manager.domain.time import Instant
from tests.support.builders import NOW, TENANT, make_id


def a_key(**fields: object) -> ApiKey:
    given = {
        "id": key_id(make_id()),
        "tenant": TENANT,
        "display_name": "Sentinel in Frankfurt",
        "subject": "sentinel",
        "roles": ("producer", "night-shift"),
        "condition": Condition(frozenset({"checkout", "search"}), frozenset({"core"})),
        "tier": "gold",
        "pepper": "0123456789abcdef",
        "digest": bytes(range(32)),
        "created_at": NOW,
        "created_by": "ann",
        "revision": 2,
    }
    return ApiKey(**{**given, **fields})  # type: ignore[arg-type]  # as the tests give them


def a_role(name: str = "night-shift", revision: int = 2, tenant: TenantId = TENANT) -> CustomRole:
    return CustomRole(tenant, name, "Who is awake", frozenset({"INCIDENT_READ", "INCIDENT_WRITE"}), NOW, revision)


def a_tenant(id_: str, revision: int = 2) -> Tenant:
    return Tenant(TenantId(id_), "Acme & Søns", TenantState.ACTIVE, TenantLimits(10, 600, 50), NOW, NOW, revision)


def denied(number: int, at: Instant = NOW, revision: int = 2) -> DeniedCertificate:
    return DeniedCertificate(bytes([number]) * 32, "stolen", "ann", at, revision)

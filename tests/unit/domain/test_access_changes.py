"""What the audit says of a change of access: each field that can change, as it was and as it is, and no secret."""

from dataclasses import fields, replace

import pytest

from llm_incident_manager.domain import access_changes
from llm_incident_manager.domain.access import Condition, CustomRole, DeniedCertificate
from llm_incident_manager.domain.access_changes import Subject
from llm_incident_manager.domain.api_keys import ApiKey
from llm_incident_manager.domain.tenants import Tenant, TenantLimits, TenantState
from llm_incident_manager.domain.time import Instant
from tests.support.access_builders import a_key, a_role, a_tenant
from tests.support.builders import NOW

REFUSAL = DeniedCertificate(b"\1" * 32, "laptop stolen", "ann", NOW, 2)
NEVER = {
    ApiKey: {"id", "tenant", "created_at", "created_by", "revision", "last_used_at", "rotated_at", "pepper"}
    | {"digest", "former_digest"},  # of a new secret `issue` tells
    CustomRole: {"tenant", "name", "updated_at", "revision"},
    Tenant: {"id", "created_at", "updated_at", "revision"},
    DeniedCertificate: {"fingerprint", "actor", "created_at", "revision"},
}
"""What stays as it is, what the record says elsewhere, and what nobody is to see."""


@pytest.mark.parametrize("subject", [a_key(), a_role(), a_tenant("one"), REFUSAL], ids=lambda each: type(each).__name__)
def test_every_field_is_audited_or_known_not_to_be(subject: Subject) -> None:
    told = set(access_changes.facts(subject))
    if isinstance(subject, ApiKey):
        told = told - {"services", "teams"} | {"condition"}
    if isinstance(subject, Tenant):
        told = told - {field.name for field in fields(TenantLimits)} | {"limits"}
    assert {field.name for field in fields(subject)} == (told - {"denied"}) | NEVER[type(subject)]


@pytest.mark.parametrize(
    ("field", "value", "name", "was", "is_"),
    [
        ("roles", ("admin", "viewer"), "roles", None, "admin,viewer"),
        (
            "condition",
            Condition(frozenset({"checkout", "search"}), frozenset({"core", "ml"})),
            "teams",
            "core",
            "core,ml",
        ),
        ("issue", 2, "issue", "1", "2"),
        ("revoked_at", Instant(NOW), "revoked_at", "", "2026-11-21T20:40:00.000000Z"),
        ("revoke_reason", "leaked", "revoke_reason", "", "leaked"),
    ],
)
def test_a_changed_key_says_what_differs(field: str, value: object, name: str, was: str | None, is_: str) -> None:
    key = a_key()
    told = access_changes.between(key, replace(key, **{field: value}))  # type: ignore[arg-type]  # one of several
    assert told.after == {name: is_}
    assert told.before == {name: ",".join(key.roles) if was is None else was}


def test_what_is_new_says_what_is_set_and_what_is_gone_what_it_was() -> None:
    role = a_role()
    permissions = ",".join(sorted(role.permissions))
    assert access_changes.between(None, role).before == {}
    assert access_changes.between(None, role).after["permissions"] == permissions
    assert access_changes.between(role, None).before["permissions"] == permissions
    assert access_changes.between(role, None).after == {}


def test_a_tenant_s_state_and_limits_are_told() -> None:
    tenant = a_tenant("one")
    after = replace(tenant, state=TenantState.SUSPENDED, limits=TenantLimits(5, 600, 50))
    told = access_changes.between(tenant, after)
    assert told == ({"state": "ACTIVE", "events_per_second": "10"}, {"state": "SUSPENDED", "events_per_second": "5"})


def test_no_change_tells_nothing() -> None:
    assert access_changes.between(REFUSAL, replace(REFUSAL, revision=9)) == ({}, {})

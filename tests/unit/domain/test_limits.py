"""Which buckets a call takes from, and which addresses are let in."""

from dataclasses import replace
from ipaddress import ip_network

import pytest

from llm_incident_manager.domain.access import DEVELOPER, Principal
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.limits import Gate, Rules, Scope, Tier, buckets

SLOW, FAST, SHARED = Tier(60, 10), Tier(6_000, 100), Tier(600, 50)
RULES = Rules({"slow": SLOW, "fast": FAST}, "slow")


def key(tier: str = "") -> Principal:
    return Principal(TenantId("acme"), "ann", frozenset(), frozenset(), "api_key", "k1", tier=tier)


@pytest.mark.parametrize(
    ("tier", "of_tenant", "expected"),
    [
        ("", None, SLOW),
        ("fast", None, FAST),
        ("", SHARED, SHARED),
        ("fast", SHARED, FAST),
        ("gone", None, SLOW),
    ],
    ids=["the usual one", "that of the key", "that of the tenant", "the key before the tenant", "a tier that is gone"],
)
def test_a_caller_goes_by_one_tier(tier: str, of_tenant: Tier | None, expected: Tier) -> None:
    bucket = next(buckets(RULES, key(tier), "GetIncident", of_tenant))
    assert (bucket.scope, bucket.tier, bucket.name) == (Scope.KEY, expected, "acme/api_key k1")


@pytest.mark.parametrize(
    ("kind", "first", "second", "same"),
    [
        ("jwt", "https://login.example.com 1", "https://login.example.com 2", True),
        ("jwt", "https://login.example.com 1", "https://other.example.com 1", False),
        ("mtls", "0f0f", "f0f0", True),
        ("api_key", "k1", "k2", False),
    ],
    ids=["another token", "another issuer", "a renewed certificate", "another key"],
)
def test_another_credential_is_another_bucket_only_of_another_caller(
    kind: str, first: str, second: str, *, same: bool
) -> None:
    names = {
        bucket.name
        for credential in (first, second)
        for bucket in buckets(RULES, replace(key(), proven_by=kind, credential=credential), "GetIncident", None)
    }
    assert len(names) == (1 if same else 2)


@pytest.mark.parametrize("kind", ["jwt", "mtls"])
def test_subjects_and_tenants_have_buckets_of_their_own(kind: str) -> None:
    ann = replace(key(), proven_by=kind, credential="https://login.example.com 1")
    others = [replace(ann, subject="bob"), replace(ann, tenant=TenantId("other"))]
    assert len({bucket.name for who in (ann, *others) for bucket in buckets(RULES, who, "GetIncident", None)}) == 3


def test_nobody_is_limited_where_nobody_is_asked_who_they_are() -> None:
    assert list(buckets(RULES, DEVELOPER, "GetIncident", None)) == []


def test_methods_and_tenants_have_buckets_of_their_own() -> None:
    rules = Rules({"slow": SLOW}, "slow", SHARED, {"ListIncidents": FAST})
    assert [bucket.scope for bucket in buckets(rules, key(), "ListIncidents", None)] == ["key", "method", "tenant"]
    assert [bucket.scope for bucket in buckets(rules, key(), "GetIncident", None)] == ["key", "tenant"]


@pytest.mark.parametrize("tier", ["", "fast"])
def test_what_a_tenant_has_is_for_all_its_callers_together(tier: str) -> None:
    of_two = [list(buckets(RULES, replace(key(tier), credential=name), "GetIncident", SHARED)) for name in ("k1", "k2")]
    assert of_two[0][0].name != of_two[1][0].name
    assert of_two[0][1] == of_two[1][1] == (Scope.TENANT, "acme", SHARED)


def test_what_a_tenant_has_comes_before_what_is_configured_for_all() -> None:
    rules = Rules({"slow": SLOW}, "slow", FAST)
    assert list(buckets(rules, key(), "GetIncident", SHARED))[-1] == (Scope.TENANT, "acme", SHARED)
    assert list(buckets(rules, key(), "GetIncident", None))[-1] == (Scope.TENANT, "acme", FAST)


NET = (ip_network("10.0.0.0/8"),)


@pytest.mark.parametrize(
    ("gate", "address", "let_in"),
    [
        (Gate(), "anything", True),
        (Gate(allow=NET), "10.1.2.3", True),
        (Gate(allow=NET), "::ffff:10.1.2.3", True),
        (Gate(allow=NET), "192.0.2.1", False),
        (Gate(allow=NET), "", False),
        (Gate(deny=NET), "10.1.2.3", False),
        (Gate(deny=NET), "::ffff:10.1.2.3", False),
        (Gate(deny=NET), "192.0.2.1", True),
        (Gate(allow=NET, deny=(ip_network("10.1.0.0/16"),)), "10.1.2.3", False),
    ],
    ids=str,
)
def test_an_address_is_let_in_or_not(gate: Gate, address: str, let_in: bool) -> None:
    assert gate.lets_in(address) is let_in


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::ffff:10.0.0.1", "203.0.113.9, ::ffff:10.0.0.2", "203.0.113.9"),
    ],
    ids=[
        "a stranger is not believed",
        "a proxy is",
        "the last one that is no proxy",
        "nothing said",
        "a proxy of IPv4 that calls by IPv6",
    ],
)
def test_only_trusted_proxies_say_whom_they_call_for(peer: str, forwarded: str, source: str) -> None:
    assert Gate(proxies=NET).source(peer, forwarded) == source

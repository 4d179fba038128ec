"""Whose a client's certificate is: rules in their order, and every reason why it is nobody's."""

from dataclasses import replace

import pytest

from llm_incident_manager.domain import certificates, recognise
from llm_incident_manager.domain.certificates import Certificate, IdentityRule, Whose
from llm_incident_manager.domain.recognise import Refused, Rules, Why
from llm_incident_manager.domain.time import DAY, Instant

NOW = Instant(1_790_000_000_000_000)
SENTINEL = "spiffe://example.org/tenant/acme/service/sentinel"
GOOD = Certificate(b"\x01" * 32, Instant(NOW - DAY), Instant(NOW + DAY), (SENTINEL,), "sentinel")
SERVICE = IdentityRule(
    "spiffe://example.org/tenant/{tenant}/service/{service}",
    "",
    "{tenant}",
    "{service}",
    frozenset({"producer"}),
    "bulk",
)
OPERATOR = IdentityRule("spiffe://example.org/tenant/*/service/operator", roles=frozenset({"admin"}))
BY_NAME = IdentityRule("", "ops-{who}", "ops", "{who}", frozenset({"viewer"}))
RULES = Rules((OPERATOR, SERVICE, BY_NAME))


def decide(certificate: Certificate, *, denied: bool = False) -> recognise.Decision:
    return recognise.decide(certificate, RULES, NOW, denied=denied)


def test_a_spiffe_id_names_tenant_and_service() -> None:
    assert decide(GOOD) == Whose("acme", "sentinel", frozenset({"producer"}), "bulk")


def test_the_first_rule_that_fits_decides_and_without_a_subject_the_whole_uri_is_one() -> None:
    uri = "spiffe://example.org/tenant/acme/service/operator"
    assert decide(replace(GOOD, uris=(uri,))) == Whose("default", uri, frozenset({"admin"}))


def test_a_common_name_counts_where_a_rule_says_so() -> None:
    assert decide(replace(GOOD, uris=(), common_name="ops-ann")) == Whose("ops", "ann", frozenset({"viewer"}))


BAD = {
    "it has ended": (replace(GOOD, not_after=Instant(NOW - 1)), Why.EXPIRED),
    "it has not begun": (replace(GOOD, not_before=Instant(NOW + 1)), Why.NOT_YET_VALID),
    "it is for servers": (replace(GOOD, for_clients=False), Why.WRONG_PURPOSE),
    "it is an authority's": (replace(GOOD, authority=True), Why.WRONG_PURPOSE),
    "it has two SPIFFE ids": (replace(GOOD, uris=(SENTINEL, "spiffe://example.org/other")), Why.AMBIGUOUS),
    "another trust domain": (replace(GOOD, uris=("spiffe://example.com/tenant/acme/service/x",)), Why.UNKNOWN),
    "a dot is a dot": (replace(GOOD, uris=("spiffe://exampleXorg/tenant/acme/service/x",)), Why.UNKNOWN),
    "a part has no slash": (replace(GOOD, uris=("spiffe://example.org/tenant/a/b/service/x",)), Why.UNKNOWN),
    "an empty part": (replace(GOOD, uris=("spiffe://example.org/tenant//service/x",)), Why.UNKNOWN),
    "more behind it": (replace(GOOD, uris=(f"{SENTINEL}/admin",)), Why.UNKNOWN),
    "a line behind it": (replace(GOOD, uris=(f"{SENTINEL}\n",)), Why.UNKNOWN),
    "no tenant is called so": (replace(GOOD, uris=("spiffe://example.org/tenant/A_B/service/x",)), Why.UNKNOWN),
    "a common name that nobody maps": (replace(GOOD, uris=(), common_name="sentinel"), Why.UNKNOWN),
    "no name at all": (replace(GOOD, uris=(), common_name=""), Why.UNKNOWN),
    "a name without end": (replace(GOOD, uris=(SENTINEL + "x" * 2_048,)), Why.UNKNOWN),
}


@pytest.mark.parametrize(("certificate", "why"), [pytest.param(*row, id=name) for name, row in BAD.items()])
def test_a_certificate_is_nobodys_when(certificate: Certificate, why: Why) -> None:
    assert decide(certificate) == Refused(why)


def test_a_refused_one_is_refused_whatever_else_holds() -> None:
    assert decide(GOOD, denied=True) == Refused(Why.REVOKED)


def test_both_ends_of_its_time_belong_to_it() -> None:
    assert isinstance(decide(replace(GOOD, not_before=NOW, not_after=NOW)), Whose)


@pytest.mark.parametrize(
    ("pattern", "name", "kept"),
    [
        ("a/{x}/b", "a/1/b", {"x": "1"}),
        ("{x}-{y}", "a-b-c", {"x": "a-b", "y": "c"}),
        ("{x}/{x}", "a/a", {"x": "a"}),
        ("{x}/{x}", "a/b", None),
        ("*.(b|c)+", "a.(b|c)+", {}),
        ("*.(b|c)+", "a.b", None),
    ],
)
def test_patterns(pattern: str, name: str, kept: dict[str, str] | None) -> None:
    rule = IdentityRule(pattern, subject="|".join(f"{{{part}}}" for part in kept or ()))
    found = Rules((rule,)).whose(replace(GOOD, uris=(name,)))
    assert (found is None) == (kept is None)
    if found is not None and kept:
        assert found.subject == "|".join(kept.values())


def test_the_names_a_pattern_keeps() -> None:
    assert certificates.names_in("spiffe://{a}/*/{b_1}/{}/{C}") == {"a", "b_1"}

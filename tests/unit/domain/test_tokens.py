"""What a token must say, and whom it stands for: a sentence a row."""

from dataclasses import replace
from typing import Any

import pytest

from llm_incident_manager.domain import tokens
from llm_incident_manager.domain.access import ROLES
from llm_incident_manager.domain.errors import Unauthenticated
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.domain.tokens import Holder, Issuer

NOW = 1_795_295_562
ISSUER = Issuer("https://login.example.com", "incidents", "RS256", tenant="default", leeway=30 * SECOND)
GOOD = {"iss": ISSUER.issuer, "aud": "incidents", "sub": "ann", "exp": NOW + 300, "iat": NOW, "nbf": NOW, "jti": "t1"}


def cause(claims: dict[str, Any], now: float = NOW) -> str:
    """Why the claims are refused; empty if they are not."""
    try:
        tokens.check_claims(claims, ISSUER, Instant(int(now * SECOND)))
    except Unauthenticated as refused:
        return refused.cause
    return ""


def held(issuer: Issuer = ISSUER, **claims: object) -> Holder:
    return tokens.holder({**GOOD, **claims}, issuer, Instant(GOOD["exp"] * SECOND), "name")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        pytest.param({}, "", id="a good one"),
        pytest.param({"aud": ["other", "incidents"]}, "", id="we are one of its audiences"),
        pytest.param({"iat": None, "nbf": None}, "", id="only its end has to be known"),
        pytest.param({"exp": NOW + 0.5}, "", id="parts of a second count"),
        pytest.param({"nbf": NOW + 29, "iat": NOW + 29}, "", id="clocks may differ by the leeway"),
        pytest.param({"exp": NOW - 29}, "", id="at its end as well"),
        pytest.param({"iss": "https://login.example.com/"}, "unknown_issuer", id="another issuer by a letter"),
        pytest.param({"iss": None}, "unknown_issuer", id="of nobody"),
        pytest.param({"aud": "incidents2"}, "wrong_audience", id="for somebody else"),
        pytest.param({"aud": ["other"]}, "wrong_audience", id="for several others"),
        pytest.param({"aud": None}, "wrong_audience", id="for nobody"),
        pytest.param({"aud": [["incidents"]]}, "wrong_audience", id="for us in a list too many"),
        pytest.param({"exp": NOW - 30}, "expired", id="over"),
        pytest.param({"exp": None}, "no_expiry", id="for ever"),
        pytest.param({"nbf": NOW + 31}, "not_yet_valid", id="not yet"),
        pytest.param({"iat": NOW + 31}, "not_yet_valid", id="made in the future"),
        pytest.param({"exp": "soon"}, "malformed", id="no time"),
        pytest.param({"exp": str(NOW + 300)}, "malformed", id="a time in quotes"),
        pytest.param({"exp": True}, "malformed", id="yes is no time"),
        pytest.param({"exp": 1e300}, "malformed", id="the end of time"),
        pytest.param({"nbf": -1}, "malformed", id="before all time"),
        pytest.param({"iat": [NOW]}, "malformed", id="a time in a list"),
    ],
)
def test_a_token_is_for_us_and_for_now(claims: dict[str, Any], why: str) -> None:
    assert cause({name: value for name, value in {**GOOD, **claims}.items() if value is not None}) == why


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"typ": "at+JWT", "kid": "a"}, ""),
        ({"typ": "application/at+jwt"}, ""),
        ({"b64": True}, ""),
        ({"crit": ["exp"]}, "forbidden_header"),
        ({"jwk": {}}, "forbidden_header"),
        ({"jku": "https://evil.example"}, "forbidden_header"),
        ({"x5u": "https://evil.example"}, "forbidden_header"),
        ({"x5c": []}, "forbidden_header"),
        ({"zip": "DEF"}, "forbidden_header"),
        ({"b64": False}, "forbidden_header"),
        ({"kid": 7}, "malformed"),
        ({"typ": "dpop+jwt"}, "wrong_type"),
        ({"typ": None}, "wrong_type"),
    ],
)
def test_a_header_that_wants_something_of_us_is_refused(header: dict[str, Any], why: str) -> None:
    if not why:
        return tokens.check_header(header)
    with pytest.raises(Unauthenticated) as refused:
        tokens.check_header(header)
    assert refused.value.cause == why
    return None


def test_words_that_are_roles_here_are_taken_but_for_the_one_over_all_tenants() -> None:
    assert held(roles=["viewer", "admin", "platform_admin", "root", 7]).roles == {"viewer", "admin"}
    assert held(roles="viewer  auditor").roles == {"viewer", "auditor"}
    assert held(roles={"viewer": True}).roles == frozenset()


def test_with_a_mapping_only_its_words_mean_anything() -> None:
    issuer = replace(ISSUER, roles_claim="realm_access.roles", roles={"sre": "responder", "root": "platform_admin"})
    assert held(issuer, realm_access={"roles": ["sre", "admin"]}).roles == {"responder"}
    assert held(issuer, realm_access={"roles": ["root"]}).roles == {"platform_admin"}
    assert held(issuer, realm_access=["sre"], roles=["sre"]).roles == frozenset()


def test_a_claim_may_have_dots_in_its_name() -> None:
    issuer = replace(ISSUER, roles_claim="https://example.com/roles")
    assert held(issuer, **{"https://example.com/roles": ["viewer"]}).roles == {"viewer"}


READS = {"INCIDENT_READ", "SELF_READ"}
SCOPED = replace(ISSUER, scopes={"write": frozenset({"EVENT_WRITE"}), "read": frozenset({"INCIDENT_READ"})})


@pytest.mark.parametrize(
    ("issuer", "claims", "allowed"),
    [
        pytest.param(ISSUER, {"roles": ["viewer"], "scope": "write"}, ROLES["viewer"], id="scopes mean nothing"),
        pytest.param(SCOPED, {"scope": "write openid"}, {"EVENT_WRITE"}, id="a program has what its scopes say"),
        pytest.param(SCOPED, {"scp": ["write", "read"]}, {"EVENT_WRITE", "INCIDENT_READ"}, id="also in a list"),
        pytest.param(SCOPED, {"roles": ["viewer"], "scope": "write read"}, READS, id="they narrow roles"),
        pytest.param(SCOPED, {"roles": ["viewer"]}, {"SELF_READ"}, id="without scopes nothing but oneself is left"),
        pytest.param(SCOPED, {"roles": ["unknown"], "scope": "write"}, {"EVENT_WRITE"}, id="unknown roles are none"),
    ],
)
def test_roles_and_scopes_allow_together(issuer: Issuer, claims: dict[str, Any], allowed: set[str]) -> None:
    holder = held(issuer, **claims)
    by_roles = frozenset[str]().union(*(ROLES[role] for role in holder.roles))
    principal = holder.principal(by_roles)
    assert principal.permissions == allowed
    assert (principal.subject, principal.proven_by, principal.credential) == ("ann", "jwt", f"{ISSUER.issuer} t1")
    assert principal.expires_at == GOOD["exp"] * SECOND  # type: ignore[operator]


def test_a_token_without_an_id_has_a_name_of_its_own() -> None:
    assert held(jti=None).credential == held(jti="a\nb").credential == f"{ISSUER.issuer} name"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"org": "acme"}, ""),
        ({"org": "Acme"}, "no_tenant"),
        ({"org": "a/b"}, "no_tenant"),
        ({"org": ["acme"]}, "no_tenant"),
        ({}, "no_tenant"),
        ({"org": "acme", "sub": ""}, "no_subject"),
        ({"org": "acme", "sub": "a\nb"}, "no_subject"),
        ({"org": "acme", "sub": "x" * 256}, "no_subject"),
        ({"org": "acme", "sub": 7}, "no_subject"),
        ({"org": "acme", "sub": None}, "no_subject"),
    ],
)
def test_tenant_and_subject_have_to_be_told(claims: dict[str, Any], why: str) -> None:
    issuer = replace(ISSUER, tenant="", tenant_claim="org")
    if not why:
        assert held(issuer, **claims).tenant == "acme"
        return
    with pytest.raises(Unauthenticated) as refused:
        held(issuer, **claims)
    assert refused.value.cause == why

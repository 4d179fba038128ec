"""What bearer tokens of an issuer must say, and whom they stand for. Signatures are somebody else's matter. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_incident_manager.domain.access import ROLES, Principal
from llm_incident_manager.domain.errors import Unauthenticated
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import SECOND, Instant

Claims = Mapping[str, object]

LONGEST_TOKEN = 8 * 1024
"""Bytes."""
NOT_BY_NAME = frozenset({"platform_admin"})
"""Roles that a token never has just because it names them: whoever looks after the whole installation is mapped."""

_REFUSED_HEADERS = frozenset({"crit", "jwk", "jku", "x5u", "x5c", "zip"})
"""Those that want something of us that we do not do, or bring the key that the token is to be checked with."""
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
_OF_ONESELF = frozenset({"SELF_READ"})
_TENANT = re.compile(r"[a-z][a-z0-9-]{0,62}\Z")
_LONGEST_SUBJECT = 255
_LATEST = 253_402_300_800
"""The year 10000 in Unix seconds: what is beyond it is no time."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens count, and how they are read. `tenant` is fixed, or else the `tenant_claim` has it; names of claims
    may lead into objects with dots. `roles` says what the issuer's words mean here, `scopes` which permissions a scope
    stands for. `leeway` in microseconds."""

    issuer: str
    audience: str
    algorithm: str
    tenant: str = ""
    tenant_claim: str = ""
    subject_claim: str = "sub"
    roles_claim: str = "roles"
    roles: Mapping[str, str] = field(default_factory=dict)
    scopes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    leeway: int = 30 * SECOND


def check_header(header: Claims) -> None:
    """Raises Unauthenticated for a token that is not read at all, whoever has issued it."""
    if _REFUSED_HEADERS & header.keys() or header.get("b64", True) is not True:
        raise Unauthenticated("forbidden_header")
    if not isinstance(header.get("kid", ""), str):
        raise Unauthenticated("malformed")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise Unauthenticated("wrong_type")


def check_claims(claims: Claims, issuer: Issuer, now: Instant) -> Instant:
    """When the token expires. Raises Unauthenticated if it is not for us, or not for now."""
    if claims.get("iss") != issuer.issuer:
        raise Unauthenticated("unknown_issuer")
    audience = claims.get("aud")
    if issuer.audience not in (audience if isinstance(audience, list) else [audience]):
        raise Unauthenticated("wrong_audience")
    expires = _moment(claims, "exp")
    if expires is None:
        raise Unauthenticated("no_expiry")
    if now >= expires + issuer.leeway:
        raise Unauthenticated("expired")
    for name in ("nbf", "iat"):
        begins = _moment(claims, name)
        if begins is not None and now < begins - issuer.leeway:
            raise Unauthenticated("not_yet_valid")
    return expires


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a token stands for, before it is known what the roles allow today. `scopes` are permissions, None where the
    issuer's scopes mean nothing here."""

    tenant: TenantId
    subject: str
    roles: frozenset[str]
    scopes: frozenset[str] | None
    credential: str
    expires_at: Instant

    def principal(self, by_roles: frozenset[str]) -> Principal:
        """With the permissions of its roles. Where scopes have a meaning they narrow these, and a token without roles
        has what its scopes say: a program that comes on its own behalf. Whoever may see who they are still may."""
        allowed = by_roles
        if self.scopes is not None:
            allowed = (by_roles & self.scopes if self.roles else self.scopes) | (by_roles & _OF_ONESELF)
        return Principal(
            self.tenant, self.subject, self.roles, allowed, "jwt", self.credential, expires_at=self.expires_at
        )


def holder(claims: Claims, issuer: Issuer, expires: Instant, name: str) -> Holder:
    """Whom the token stands for; `name` is what it is called if it has no id. Raises Unauthenticated when it does not
    say so."""
    tenant = issuer.tenant or _at(claims, issuer.tenant_claim)
    if not isinstance(tenant, str) or not _TENANT.match(tenant):
        raise Unauthenticated("no_tenant")
    subject = _at(claims, issuer.subject_claim)
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise Unauthenticated("no_subject")
    token_id = claims.get("jti")
    shown = token_id if isinstance(token_id, str) and token_id and token_id.isprintable() else name
    credential = f"{issuer.issuer} {shown[:_LONGEST_SUBJECT]}"
    return Holder(TenantId(tenant), subject, _roles(claims, issuer), _scopes(claims, issuer), credential, expires)


def _roles(claims: Claims, issuer: Issuer) -> frozenset[str]:
    """The roles that the token's words stand for; words that mean nothing here give nothing."""
    words = _words(_at(claims, issuer.roles_claim))
    if issuer.roles:
        return frozenset(issuer.roles[word] for word in words if word in issuer.roles)
    return frozenset(words) & ROLES.keys() - NOT_BY_NAME


def _scopes(claims: Claims, issuer: Issuer) -> frozenset[str] | None:
    """The permissions that the token's scopes stand for."""
    if not issuer.scopes:
        return None
    words = _words(claims.get("scope", claims.get("scp")))
    return frozenset[str]().union(*(issuer.scopes[word] for word in words if word in issuer.scopes))


def _words(value: object) -> tuple[str, ...]:
    """Words in a list, or in one text with blanks between them."""
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _at(claims: Claims, path: str) -> object:
    """The claim of that name; if there is none, what the name leads to where its dots lead into objects."""
    if path in claims:
        return claims[path]
    here: object = claims
    for part in path.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def _moment(claims: Claims, name: str) -> Instant | None:
    """A time in Unix seconds, None when there is none. Raises Unauthenticated for what is no time."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        raise Unauthenticated("malformed")
    return Instant(int(value * SECOND))

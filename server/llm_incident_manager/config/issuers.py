"""Whose bearer tokens count (JWT, by OIDC discovery or a JWKS), and what they mean here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from llm_incident_manager.config.outbound_section import Outbound
from llm_incident_manager.config.problems import Problem, shown
from llm_incident_manager.config.values import Section
from llm_incident_manager.domain import destinations, tokens
from llm_incident_manager.domain.access import PERMISSIONS
from llm_incident_manager.domain.time import SECOND

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")


class Issuer(Section):
    """One issuer of tokens."""

    issuer: str
    """Its name, to the letter what `iss` of its tokens says: `https://login.example.com/realms/main`."""
    audience: str
    """What `aud` of its tokens must hold: the name under which the issuer knows this server."""
    algorithm: Algorithm = "RS256"
    """The one algorithm that its tokens are signed with: RS256 to RS512, PS256 to PS512, ES256 to ES512, or EdDSA."""
    jwks_uri: str | None = None
    """Where its keys are; without it, its discovery document (`/.well-known/openid-configuration`) tells."""
    tenant: str = ""
    """The tenant of all its callers."""
    tenant_claim: str = ""
    """The claim that names the tenant, where `tenant` does not; names of claims lead into objects with dots."""
    subject_claim: str = "sub"
    """The claim that names the caller."""
    roles_claim: str = "roles"
    """The claim that holds the caller's roles, for instance `realm_access.roles`."""
    roles: Mapping[str, str] = Field(default_factory=dict)
    """Which role a word of `roles_claim` stands for; without it words that are roles here, but not `platform_admin`."""
    scopes: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    """Which permissions a word of the claim `scope` stands for. Then roles allow what the scopes name as well, and a
    token without roles, such as that of a program, what its scopes name."""
    leeway_secs: Annotated[float, Field(ge=0, le=300)] = 30.0
    """How far the issuer's clock may be off, at most 300."""

    def rules(self) -> tokens.Issuer:
        """The issuer as tokens are judged by."""
        return tokens.Issuer(
            self.issuer,
            self.audience,
            self.algorithm,
            self.tenant,
            self.tenant_claim,
            self.subject_claim,
            self.roles_claim,
            dict(self.roles),
            {scope: frozenset(words) for scope, words in self.scopes.items()},
            round(self.leeway_secs * SECOND),
        )


def conflicts(issuers: Sequence[Issuer], outbound: Outbound) -> Iterator[Problem]:
    """What is wrong with issuers beyond single values. Origins are left empty."""
    taken: set[str] = set()
    for number, issuer in enumerate(issuers):
        key = f"identity.issuers[{number}]"
        yield from _places(key, issuer, outbound)
        if issuer.issuer in taken:
            yield Problem(f"{key}.issuer", shown(issuer.issuer), "", "it is listed before: leave one of them out")
        taken.add(issuer.issuer)
        if bool(issuer.tenant) == bool(issuer.tenant_claim):
            remedy = "its callers need one tenant: give either tenant, such as default, or tenant_claim"
            yield Problem(f"{key}.tenant", shown(issuer.tenant), "", remedy)
        for word, role in issuer.roles.items():
            if not _ROLE.match(role):
                yield Problem(f"{key}.roles.{word}", shown(role), "", "give a role, such as responder")
        for word, permissions in issuer.scopes.items():
            if unknown := [one for one in permissions if one not in PERMISSIONS]:
                yield Problem(f"{key}.scopes.{word}", shown(unknown[0]), "", f"give some of {', '.join(PERMISSIONS)}")


def _places(key: str, issuer: Issuer, outbound: Outbound) -> Iterator[Problem]:
    fetched = "issuer" if issuer.jwks_uri is None else "jwks_uri"
    for name, url in (("issuer", issuer.issuer), ("jwks_uri", issuer.jwks_uri)):
        remedy = "" if url is None else _unusable(url) or (_not_allowed(url, outbound) if name == fetched else "")
        if remedy:
            yield Problem(f"{key}.{name}", shown(url), "", remedy)


def _unusable(url: str) -> str:
    """What is wrong with a place that keys come from."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port != 0 else None
    except ValueError:
        parts, host = urlsplit(""), None
    if not host or "@" in parts.netloc or parts.fragment:
        return "give a URL without user, password and fragment, such as https://login.example.com"
    if parts.scheme != "https" and not (parts.scheme == "http" and destinations.is_loopback(host)):
        return "keys that come in clear text can be anybody's: give a URL that starts with https://"
    return ""


def _not_allowed(url: str, outbound: Outbound) -> str:
    return outbound.remedy(urlsplit(url).hostname or "")

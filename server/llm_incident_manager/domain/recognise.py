"""Says whose a client's certificate is, or why it is nobody's. That its issuer is trusted was seen to before."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from llm_incident_manager.domain.certificates import SPIFFE, TENANT, TOKEN, Certificate, IdentityRule, Whose
from llm_incident_manager.domain.time import Instant

LONGEST_NAME = 2_048
"""Of a URI or common name, in characters; SPIFFE allows no more."""


class Why(StrEnum):
    """Why a certificate does not let anybody in."""

    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    WRONG_PURPOSE = "wrong_purpose"
    AMBIGUOUS = "ambiguous"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Refused:
    """It lets nobody in."""

    why: Why


Decision: TypeAlias = Whose | Refused


class Rules:
    """Rules in their order; the first that fits decides."""

    def __init__(self, rules: Iterable[IdentityRule]) -> None:
        """Takes them as they are: whether they make sense is looked at where they come from."""
        self._rules = tuple((_compiled(rule.uri or rule.common_name), rule) for rule in rules)

    def whose(self, certificate: Certificate) -> Whose | None:
        """Who shows it; None when no rule fits."""
        for pattern, rule in self._rules:
            for name in certificate.uris if rule.uri else (certificate.common_name,):
                found = pattern.fullmatch(name) if _is_name(name) else None
                if found is not None:
                    return _named(rule, name, found)
        return None


def decide(certificate: Certificate, rules: Rules, now: Instant, *, denied: bool) -> Decision:
    """`denied` when somebody has said that this certificate is not to be let in."""
    if denied:
        return Refused(Why.REVOKED)
    if (late := lapsed(certificate, now)) is not None:
        return Refused(late)
    if not certificate.for_clients or certificate.authority:
        return Refused(Why.WRONG_PURPOSE)
    if len(_spiffe_ids(certificate.uris)) > 1:
        return Refused(Why.AMBIGUOUS)
    whose = rules.whose(certificate)
    if whose is None or not whose.subject or TENANT.fullmatch(whose.tenant) is None:
        return Refused(Why.UNKNOWN)
    return whose


def lapsed(certificate: Certificate, now: Instant) -> Why | None:
    """Whether the certificate is not valid now, and why."""
    if now < certificate.not_before:
        return Why.NOT_YET_VALID
    return Why.EXPIRED if now > certificate.not_after else None


def _is_name(name: str) -> bool:
    """It stands in logs and in the audit: whatever no person could read there is none."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable()


def _spiffe_ids(uris: Sequence[str]) -> Sequence[str]:
    return [uri for uri in uris if uri.startswith(SPIFFE)]


def _compiled(pattern: str) -> re.Pattern[str]:
    """Everything but `{name}` and `*` stands for itself. A name that comes twice has to fit twice."""
    made, place, seen = "", 0, set[str]()
    for found in TOKEN.finditer(pattern):
        made += re.escape(pattern[place : found.start()]) + _part(found[1], seen)
        place = found.end()
    return re.compile(made + re.escape(pattern[place:]))


def _part(name: str | None, seen: set[str]) -> str:
    if not name:
        return "[^/]+"
    if name in seen:
        return f"(?P={name})"
    seen.add(name)
    return f"(?P<{name}>[^/]+)"


def _named(rule: IdentityRule, name: str, found: re.Match[str]) -> Whose:
    parts = found.groupdict()
    subject = _filled(rule.subject, parts) if rule.subject else name
    return Whose(_filled(rule.tenant, parts), subject, rule.roles, rule.tier)


def _filled(template: str, parts: dict[str, str]) -> str:
    return TOKEN.sub(lambda found: parts.get(found[1] or "", found[0]), template)

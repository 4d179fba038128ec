"""Tells whom a bearer token stands for. The algorithm is the issuer's, fixed by the settings, and the key is one that
the issuer publishes: nothing of the token chooses either, but the name of the key.
"""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from jwt import PyJWS, PyJWTError

from llm_incident_manager.adapters.jwt.keyring import Keyring
from llm_incident_manager.adapters.jwt.keyset import PublicKey
from llm_incident_manager.domain import tokens
from llm_incident_manager.domain.access import Principal
from llm_incident_manager.domain.errors import DomainError, ErrorReason, Unauthenticated
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.tokens import LONGEST_TOKEN, Holder, Issuer
from llm_incident_manager.ports.access import KnownRoles
from llm_incident_manager.ports.clock import Clock

MOST_REMEMBERED = 10_000
"""Tokens that were checked and need no second look."""


@dataclass(frozen=True, slots=True)
class _Source:
    """An issuer with its keys, and the one algorithm it signs with."""

    issuer: Issuer
    ring: Keyring
    signatures: PyJWS


@dataclass(slots=True)
class _Proven:
    """What a token was found to say. It holds `until` then, as long as the key is still the one of that id; what its
    roles allow may change meanwhile."""

    holder: Holder
    ring: Keyring
    kid: str
    key: PublicKey
    until: Instant
    by_roles: frozenset[str]
    principal: Principal

    def holds(self, now: Instant) -> bool:
        return now < self.until and self.ring.known(self.kid) is self.key


class Verifier:
    """Implements ports.tokens.Tokens."""

    def __init__(self, sources: Sequence[tuple[Issuer, Keyring]], roles: KnownRoles, clock: Clock) -> None:
        """Issuers with their keys, no two of one name; `roles` says what roles allow."""
        self._roles = roles
        self._clock = clock
        self._sources: Mapping[str, _Source] = {
            issuer.issuer: _Source(issuer, ring, PyJWS(algorithms=[issuer.algorithm])) for issuer, ring in sources
        }
        self._remembered: dict[bytes, _Proven] = {}
        self._by_credential: dict[str, _Proven] = {}

    async def run(self) -> None:
        """Keeps the keys of all issuers fresh, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for source in self._sources.values():
                group.create_task(source.ring.keep(), name=f"issuer {source.issuer.issuer}")

    async def close(self) -> None:
        """Ends what is under way."""
        for source in self._sources.values():
            await source.ring.close()

    async def principal(self, token: str) -> Principal:
        """Whose token it is. Raises Unauthenticated."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise Unauthenticated("too_large" if len(token) > LONGEST_TOKEN else "malformed")
        digest = sha256(token.encode()).digest()
        proven = self._remembered.get(digest)
        if proven is None or not proven.holds(self._clock.now()):
            self._forget(digest)
            proven = await self._checked(token, digest)
            self._remember(digest, proven)
        by_roles = self._roles.permissions(proven.holder.tenant, proven.holder.roles)
        if by_roles != proven.by_roles:
            proven.by_roles, proven.principal = by_roles, proven.holder.principal(by_roles)
        return proven.principal

    def still(self, principal: Principal) -> bool:
        """Whether the token that has proven this principal has neither expired nor lost its key, and allows as much."""
        proven, now = self._by_credential.get(principal.credential), self._clock.now()
        if proven is None:  # so many others came since that it is forgotten
            return principal.expires_at is not None and now < principal.expires_at
        by_roles = self._roles.permissions(principal.tenant, principal.roles)
        return proven.holds(now) and principal.permissions <= proven.holder.principal(by_roles).permissions

    async def check(self) -> None:
        """Raises DomainError, naming the issuers whose keys could not be fetched the last time."""
        rings = [source.ring for source in self._sources.values()]
        failing = [
            f"{ring.issuer}: {ring.failure}; {'it goes on with the keys it has' if ring.holds_keys else 'no keys'}"
            for ring in rings
            if ring.failure
        ]
        if failing:
            raise DomainError(ErrorReason.NOT_AVAILABLE, "; ".join(failing))

    def _remember(self, digest: bytes, proven: _Proven) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._forget(next(iter(self._remembered)))
        self._remembered[digest] = self._by_credential[proven.holder.credential] = proven

    def _forget(self, digest: bytes) -> None:
        proven = self._remembered.pop(digest, None)
        if proven is not None and self._by_credential.get(proven.holder.credential) is proven:
            del self._by_credential[proven.holder.credential]

    async def _checked(self, token: str, digest: bytes) -> _Proven:
        parts = token.split(".")
        if len(parts) != 3:
            raise Unauthenticated("malformed")
        header, claims = _object(parts[0]), _object(parts[1])
        tokens.check_header(header)
        issuer = claims.get("iss")
        source = self._sources.get(issuer) if isinstance(issuer, str) else None
        if source is None:
            raise Unauthenticated("unknown_issuer")
        if header.get("alg") != source.issuer.algorithm:
            raise Unauthenticated("wrong_algorithm")
        # Before the signature, which costs more: whoever sends old tokens again and again must not be expensive.
        expires = tokens.check_claims(claims, source.issuer, self._clock.now())
        kid = header.get("kid", "")
        key = await source.ring.key(kid)
        if key is None:
            raise Unauthenticated("unknown_key")
        _check_signature(token, key, source)
        holder = tokens.holder(claims, source.issuer, expires, digest.hex()[:16])
        by_roles = self._roles.permissions(holder.tenant, holder.roles)
        until = Instant(expires + source.issuer.leeway)
        return _Proven(holder, source.ring, kid, key, until, by_roles, holder.principal(by_roles))


def _check_signature(token: str, key: PublicKey, source: _Source) -> None:
    try:
        source.signatures.decode(token, key, algorithms=[source.issuer.algorithm])
    except (PyJWTError, ValueError, TypeError, RecursionError):
        raise Unauthenticated("bad_signature") from None


def _object(part: str) -> dict[str, Any]:
    """A part of a token as a JSON object. Raises Unauthenticated."""
    try:
        found = orjson.loads(base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True))
    except (binascii.Error, orjson.JSONDecodeError):
        raise Unauthenticated("malformed") from None
    if not isinstance(found, dict):
        raise Unauthenticated("malformed")
    return found

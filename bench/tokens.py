"""What checking a bearer token costs: one that was seen before, and one that was not, for each sort of key."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from llm_incident_manager.adapters import jwt
from llm_incident_manager.adapters.clock import SteadyClock
from llm_incident_manager.config.issuers import Issuer
from llm_incident_manager.domain.access import ROLES
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.ports.outbound import Answer, Request
from tests.support.issuer import SigningKey  # the suite knows how to be an issuer
from tests.support.quiet import QUIET

ISSUER = "https://login.example.com"
ALGORITHMS = ("RS256", "ES256", "EdDSA")
TOKENS = 2_000
LIMITS = {"cached": 20.0, "uncached": 300.0}
"""Microseconds."""


class _BuiltIn:
    """The roles that come with the product."""

    def permissions(self, _: TenantId, roles: Iterable[str]) -> frozenset[str]:
        return frozenset[str]().union(*(ROLES.get(role, frozenset()) for role in roles))


class _Published:
    """Answers with the keys at once: what is measured is the check, not the network."""

    def __init__(self, key: SigningKey) -> None:
        self._document = json.dumps({"keys": [key.jwk]}).encode()

    async def send(self, _: Request) -> Answer:
        return Answer(200, {}, self._document)

    async def close(self) -> None:
        pass


def lines() -> Iterator[Mapping[str, Any]]:
    """A line for each algorithm: the median and the 99th percentile of a check in microseconds."""
    for algorithm in ALGORITHMS:
        yield asyncio.run(_line(algorithm))


async def _line(algorithm: str) -> Mapping[str, Any]:
    key = SigningKey.make("one", algorithm)
    settings = Issuer(
        issuer=ISSUER, audience="incidents", tenant="default", algorithm=algorithm, jwks_uri=f"{ISSUER}/k"
    )
    verifier = jwt.build([settings], _Published(key), _BuiltIn(), SteadyClock(), QUIET)
    assert verifier is not None
    now = int(time.time())
    usual = {"iss": ISSUER, "aud": "incidents", "iat": now, "exp": now + 3_600, "roles": ["responder"]}
    tokens = [key.token({**usual, "sub": f"user-{number}", "jti": str(number)}) for number in range(TOKENS)]
    await verifier.principal(key.token({**usual, "sub": "first"}))
    uncached = await _micros(tokens, verifier.principal)
    cached = await _micros(tokens, verifier.principal)
    await verifier.close()
    found = {"algorithm": algorithm, "token_bytes": len(tokens[0]), "checks": TOKENS, **_told("uncached", uncached)}
    return {**found, **_told("cached", cached)}


async def _micros(tokens: Sequence[str], check: Callable[[str], Awaitable[object]]) -> list[float]:
    took = []
    for token in tokens:
        started = time.perf_counter()
        await check(token)
        took.append((time.perf_counter() - started) * 1e6)
    return sorted(took)


def _told(name: str, took: list[float]) -> Mapping[str, Any]:
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    return {f"{name}_p50_us": round(p50, 1), f"{name}_p99_us": round(p99, 1), f"{name}_limit_us": LIMITS[name]}

"""Fault 39: tokens that nobody may be let in with, at the doors of a real server."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from statistics import quantiles

import aiohttp

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient
from llm_incident_client.core.channel import ChannelOptions
from llm_incident_client.core.errors import IncidentManagerError
from tests.support.forged import forged
from tests.support.issuer import Issuer, SigningKey, an_issuer
from tests.support.listeners import listening, silence
from tests.support.receiver import LOOPBACK
from tests.support.server import RunningServer, running_server

AT_ONCE = 32
COOL_DOWN = 30.0


@fault(39, "bearer tokens: alg none, public keys as secrets, wrong or old claims, headers that bring keys, floods",
       limit="all refused; keys fetched at most once in 30 s; those with good tokens are let in")  # fmt: skip
async def tokens(run: Run) -> Outcome:
    """Every forged token through HTTP, then a flood of unknown keys beside callers with good tokens."""
    async with an_issuer() as issuer, listening(silence) as evil:
        config = {"identity": {"required": True, "issuers": [issuer.settings()]}, **LOOPBACK}
        async with running_server(config=json.dumps(config)) as server, aiohttp.ClientSession(server.http) as http:
            started = time.monotonic()
            alone = await _good(http, issuer, run.size(200, 2_000))
            attempts = [(name, one.token) for name, one in forged(issuer, f"{evil.url}keys").items() if one.token]
            answers = [(name, await _status(http, token)) for name, token in attempts]
            flood = asyncio.create_task(_flood(http, issuer, run.size(2_000, 50_000)))
            beside = await _good(http, issuer, run.size(200, 2_000))
            refused = await flood
            seconds = time.monotonic() - started
            refused_early = await _refused_before_our_handlers(server)
    wrong = [f"{name}: {status}" for name, status in answers if status not in (401, 429, 400, 431)]
    wrong += [f"a flooding token was answered {status}" for status in refused if status not in (401, 429)]
    figures = [
        Figure("sorts of bad tokens", len(attempts), least=40),
        Figure("let in", sum(status < 400 for _, status in answers), most=0),
        Figure("tokens of unknown keys", refused.total()),
        Figure("fetches of keys", issuer.asked["jwks"], most=1 + seconds // COOL_DOWN),
        Figure("connections to where tokens point", evil.connections, most=0),
        Figure("p99 of good tokens alone", alone, "s"),
        Figure("p99 of good tokens beside the flood", beside, "s", most=max(0.5, 20 * alone)),
        Figure("1 MB token by gRPC refused", refused_early, least=1),
    ]
    return Outcome(figures, wrong=wrong)


async def _status(http: aiohttp.ClientSession, token: str) -> int:
    """The status of a list; 431 also for a server that hangs up on headers which are too large."""
    try:
        async with http.get("/api/v1/incidents", headers={"Authorization": f"Bearer {token}"}) as reply:
            await reply.read()
            return reply.status
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
        return 431


async def _good(http: aiohttp.ClientSession, issuer: Issuer, number: int) -> float:
    """The 99th percentile of the seconds that those wait who show good tokens, each its own."""
    waits: list[float] = []
    for each in range(number):
        token = issuer.token(sub=f"user-{each}")
        started = time.monotonic()
        status = await _status(http, token)
        if status != 200:
            raise AssertionError(f"a good token was answered {status}")
        waits.append(time.monotonic() - started)
    return quantiles(waits, n=100)[98]


async def _flood(http: aiohttp.ClientSession, issuer: Issuer, number: int) -> Counter[int]:
    """Tokens of keys that the issuer does not have, each of another one."""
    evil, claims = SigningKey.make(), issuer.claims()
    found: Counter[int] = Counter()

    async def one(kids: Sequence[int]) -> None:
        for kid in kids:
            found[await _status(http, evil.token(claims, kid=f"kid-{kid}"))] += 1

    await asyncio.gather(*(one(range(start, number, AT_ONCE)) for start in range(AT_ONCE)))
    return found


async def _refused_before_our_handlers(server: RunningServer) -> int:
    """1 if gRPC refuses a token of 1 MB."""

    async def bearer() -> str:
        return "x" * 1_000_000

    async with IncidentClient(ChannelOptions(server.grpc, bearer=bearer)) as client:
        try:
            await client.list_incidents()
        except IncidentManagerError:
            return 1
    return 0

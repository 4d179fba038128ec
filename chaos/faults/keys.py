"""Faults 38 and 43: keys that are revoked, floods of wrong ones, and whoever tries to guess."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import aiohttp
import grpc

from bench import keys as bench
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client import IncidentClient, pb
from llm_incident_client.core.errors import AccessDenied
from llm_incident_manager.domain import api_keys
from tests.support.callers import PEPPER, calling, first_key, over_http
from tests.support.fleet import a_fleet
from tests.support.http import whole
from tests.support.server import RunningServer, running_server

REFUSED_SECONDS = 5
CUT_SECONDS = 15
CHECK_US = 20
FLOOD_PER_SECOND = 9_000
SLOWER = 1.2
FAILURES = 30
GUESSING_TELLS = 0.1


@fault(38, "a key is revoked while two processes serve it", part="revoked",
       limit="refused <= 5 s by both, open streams cut <= 15 s")  # fmt: skip
async def revoked(run: Run) -> Outcome:
    """By the one; the other has its streams."""
    cluster = await run.databases.cluster()
    async with a_fleet(cluster) as fleet:
        one, other = [await fleet.start(API_KEY_PEPPER=PEPPER) for _ in range(2)]
        refused: list[float] = []
        cut: list[float] = []
        for _ in range(run.size(2, 10)):
            key = await first_key(one, "viewer", "producer")
            await _until(other, key, 200)
            async with calling(other, key) as client:
                streams = [asyncio.create_task(each) for each in (_watched(client), _produced(client))]
                await asyncio.sleep(0.3)
                began = time.monotonic()
                async with calling(one) as boss:
                    await boss.revoke_api_key(key.split("_")[1])
                await asyncio.gather(_until(one, key, 401), _until(other, key, 401))
                refused.append(time.monotonic() - began)
                async with asyncio.timeout(2 * CUT_SECONDS):
                    await asyncio.gather(*streams)
                cut.append(time.monotonic() - began)
    figures = [
        Figure("keys", len(refused)),
        Figure("refused by both after", max(refused), "s", most=REFUSED_SECONDS),
        Figure("streams cut after", max(cut), "s", most=CUT_SECONDS),
    ]
    return Outcome(figures)


@fault(38, "10,000 wrong keys a second", part="flood", limit="a valid one takes <= 20 us, and <= 1.2 times as long")
async def flood(run: Run) -> Outcome:
    """At the hook that asks for keys: over sockets the flood itself would need more processors than there are."""
    found = await asyncio.to_thread(bench.line, float(run.size(3, 8)))
    figures = [
        Figure("wrong keys a second", found["flood_per_second"], least=FLOOD_PER_SECOND),
        Figure("a look at a valid key", found["check_us"], "us", most=CHECK_US),
        Figure("times as long in the flood", found["slower_in_flood"], most=SLOWER),
    ]
    return Outcome(figures)


@fault(43, "somebody guesses keys", limit="locked out by source and by key, others are not; nothing is told by timing")
async def guessing(run: Run) -> Outcome:
    """From this machine, whose address a proxy's other users would share."""
    found = await asyncio.to_thread(bench.line, float(run.size(1, 4)))
    wrong = []
    async with running_server(env={"LLM_IM__IDENTITY__LOCKOUT__FAILURES": str(FAILURES)}) as server:
        known, fresh = await first_key(server, "viewer"), await first_key(server, "viewer")
        await over_http(server, "/api/v1/whoami", known)
        body = api_keys.body_of(fresh.split("_")[1], bytes(32))
        attempts = 0
        async with aiohttp.ClientSession(server.http, headers={"X-API-Key": api_keys.text_of(body)}) as session:
            while (await whole(session.get("/api/v1/whoami"))).status == 401:
                attempts += 1
        if (await over_http(server, "/api/v1/whoami", fresh)).status != 429:
            wrong.append("a right key was told from a wrong one while guessing was locked out")
        if (await over_http(server, "/api/v1/whoami", known)).status != 200:
            wrong.append("who had called before was locked out as well")
    figures = [
        Figure("attempts before the lock-out", attempts + 1, least=FAILURES, most=FAILURES),
        Figure("difference in time of a known id", found["guessing_tells"], most=GUESSING_TELLS),
    ]
    return Outcome(figures, wrong=wrong)


async def _until(server: RunningServer, key: str, status: int) -> None:
    async with asyncio.timeout(2 * CUT_SECONDS):
        while (await over_http(server, "/api/v1/whoami", key)).status != status:
            await asyncio.sleep(0.02)


async def _watched(client: IncidentClient) -> None:
    async def work() -> None:
        async for _ in client.watch():
            pass

    await _denied(work, AccessDenied)


async def _produced(client: IncidentClient) -> None:
    """The raw stream: the one of the client would try again for a while."""
    stream = await client._caller.events()
    await stream.write(pb.StreamEventsRequest(open=pb.StreamOpen(producer_id="chaos")).SerializeToString())

    async def work() -> None:
        while await stream.read():
            pass

    await _denied(work, grpc.aio.AioRpcError)


async def _denied(work: Callable[[], Awaitable[None]], how: type[Exception]) -> None:
    try:
        await work()
    except how:
        return
    raise AssertionError("the stream ended as if nothing were wrong")

"""Faults 31 and 32: HTTP/2 as no honest client speaks it, on the gRPC port."""

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

from hyperframe.frame import SettingsFrame

from chaos import http2
from chaos.flooding import ATTACKS
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import Watched, watched, worked
from llm_incident_client import IncidentClient
from tests.support.server import RunningServer, running_server
from tests.support.waiting import until
from tools import shell

CALM_CORES = 0.15
"""A server that nobody asks anything uses less."""
MOST_MIB = 256
"""What a thousand calls at once with large headers may take, which is all that a connection gets."""
WITHOUT_END = ("PING",)
"""What the server ends the connection for; the rest it refuses call by call, or reads and forgets."""
MOST_MS = 1_000
"""Until others are answered meanwhile: the attacker has one of the processors."""
WHO = "AdminService/WhoAmI"
STUCK = 900
"""Calls of a connection, which may have a thousand."""
CONNECTIONS = 6
"""Together they have more calls than the server takes at once."""


async def _flooded(server: RunningServer, attack: str, seconds: float) -> dict[str, Any]:
    """What one attack has said, and what came of it."""
    command = [sys.executable, "-m", "chaos.flooding", str(server.grpc_port), attack, str(seconds)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=shell.ROOT, stdout=pipe)
    out, _ = await process.communicate()
    told: dict[str, Any] = json.loads(out)
    return told


@fault(31, "floods of headers, CONTINUATION, PING and SETTINGS", limit="refused or closed, CPU calm <= 5 s afterwards")
async def floods(run: Run) -> Outcome:
    """One connection each, as fast as it goes."""
    seconds, figures, wrong = run.size(2, 10), list[Figure](), list[str]()
    async with running_server() as server:
        for attack in (name for name in ATTACKS if name != "rapid reset"):
            async with watched(server) as seen:
                told = await _flooded(server, attack, seconds)
            figures += _figures(attack, told["said"], seen, await _calm_after(server))
            if attack in WITHOUT_END and not told["ended"]:
                wrong.append(f"{attack}: the connection goes on after {told['said']} frames")
    return Outcome(figures, wrong=wrong)


def _figures(name: str, said: int, seen: Watched, calm: float) -> list[Figure]:
    return [
        Figure(f"{name}: said", said, least=1),
        Figure("p99 of others", seen.slowest(), "ms", most=MOST_MS),
        Figure("memory", seen.grown, "MiB", most=MOST_MIB),
        Figure("calm after", calm, "s", most=5),
    ]


async def _calm_after(server: RunningServer, most: float = 10.0) -> float:
    """Seconds until it uses next to no processor time."""
    started = time.monotonic()
    while (passed := time.monotonic() - started) < most:
        before = worked(server)
        await asyncio.sleep(0.5)
        if worked(server) - before < 0.5 * CALM_CORES:
            return passed
    return most


@fault(
    31, "answers that nobody lets through (window 0)", part="window", limit="memory bounded, others served as before"
)
async def window_zero(_: Run) -> Outcome:
    """More calls of one API key than the server takes at once, over several connections, none of which may be answered;
    then somebody else calls."""
    first = {SettingsFrame.INITIAL_WINDOW_SIZE: 0}
    async with running_server(config="limits: {usual_tier: ''}") as server, AsyncExitStack() as stack:
        async with IncidentClient(server.grpc) as client:
            key = (await client.create_api_key("greedy", ["viewer"])).secret
        block = http2.call_headers(WHO, [("x-api-key", key)])
        calls = b"".join(http2.headers(at, block, "END_HEADERS") + http2.message(at) for at in range(1, 2 * STUCK, 2))
        async with watched(server) as seen:
            attackers = [
                await stack.enter_async_context(http2.connected(server.grpc_port, first, answer_pings=True))
                for _ in range(CONNECTIONS)
            ]
            for attacker in attackers:
                attacker.writer.write(calls)
                await attacker.writer.drain()
            await until(lambda: sum(each.frames.get("Headers", 0) for each in attackers) >= CONNECTIONS * STUCK, 60)
            took = await _answered_after(server, http2.call_headers(WHO))
        calm = await _calm_after(server)
    figures = [
        Figure("calls", CONNECTIONS * STUCK),
        Figure("another's call", took * 1_000, "ms", most=1_000),
        Figure("p99 of others", seen.slowest(), "ms", most=MOST_MS),
        Figure("memory", seen.grown, "MiB", most=MOST_MIB),
        Figure("calm after", calm, "s", most=5),
    ]
    return Outcome(figures)


async def _answered_after(server: RunningServer, block: bytes, most: float = 10.0) -> float:
    """Seconds until a call of somebody else has its answer; `most` when it has none, or a refusal."""
    async with http2.connected(server.grpc_port) as other:
        started = time.monotonic()
        other.writer.write(http2.headers(1, block, "END_HEADERS") + http2.message(1))
        while not other.frames.get("Data") and time.monotonic() - started < most:
            await asyncio.sleep(0.005)
        return time.monotonic() - started


@fault(32, "rapid reset: 10,000 calls a second, each taken back at once", limit="p99 of others <= 2 times, <= 32 MiB")
async def rapid_reset(run: Run) -> Outcome:
    """HEADERS and RST_STREAM from one connection."""
    seconds = run.size(5, 30)
    async with running_server() as server:
        async with watched(server) as before:
            await asyncio.sleep(3)
        async with watched(server) as seen:
            told = await _flooded(server, "rapid reset", seconds)
        calm = await _calm_after(server)
    figures = [
        Figure("calls taken back", told["said"], least=1),
        Figure("a second", told["said"] / seconds),
        Figure("p99 of others before", before.slowest(), "ms"),
        Figure("p99 of others", seen.slowest(), "ms", most=max(20.0, 2 * before.slowest())),
        Figure("memory", seen.grown, "MiB", most=32),
        Figure("calm after", calm, "s", most=5),
    ]
    return Outcome(figures)

"""Faults 31 and 32: HTTP/2 as no honest client speaks it, on the gRPC port."""

import asyncio
import json
import sys
import time
from typing import Any

from chaos import http2
from chaos.flooding import ATTACKS, LIST
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import Watched, watched, worked
from tests.support.server import RunningServer, running_server
from tools import shell

CALM_CORES = 0.15
"""A server that nobody asks anything uses less."""
MOST_MIB = 192
"""What a thousand calls at once with large headers may take, which is all that a connection gets."""
WITHOUT_END = ("PING",)
"""What the server ends the connection for; the rest it refuses call by call, or reads and forgets."""
STUCK = 900


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
        Figure("p99 of others", seen.slowest(), "ms", most=500),
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
async def window_zero(run: Run) -> Outcome:
    """As many calls as one connection may have, none of which may be answered; then somebody else calls."""
    block, first = http2.call_headers(LIST), {4: 0}
    async with running_server() as server:
        async with watched(server) as seen, http2.connected(server.grpc_port, first, answer_pings=True) as connection:
            for number in range(STUCK):
                stream = 2 * number + 1
                connection.writer.write(http2.headers(stream, block, "END_HEADERS") + http2.message(stream))
            await asyncio.sleep(run.size(3, 10))
            stuck = STUCK - connection.frames.get("Data", 0)
            async with http2.connected(server.grpc_port) as other:
                started = time.monotonic()
                other.writer.write(http2.headers(1, block, "END_HEADERS") + http2.message(1))
                while not other.frames.get("Data") and time.monotonic() - started < 10:
                    await asyncio.sleep(0.005)
                took = time.monotonic() - started
        calm = await _calm_after(server)
    figures = [
        Figure("stuck", stuck, least=STUCK),
        Figure("another's call", took * 1_000, "ms", most=1_000),
        Figure("p99 of others", seen.slowest(), "ms", most=250),
        Figure("memory", seen.grown, "MiB", most=MOST_MIB),
        Figure("calm after", calm, "s", most=5),
    ]
    return Outcome(figures)


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

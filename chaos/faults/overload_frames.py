"""Faults 31 and 32: HTTP/2 as no honest client speaks it, on the gRPC port."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from hyperframe.frame import SettingsFrame

from chaos import http2
from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import Watched, watched, worked
from tests.support.server import RunningServer, running_server

LIST = "IncidentService/ListIncidents"
CALM_CORES = 0.15
"""A server that nobody asks anything uses less."""
MOST_MIB = 64


@dataclass(frozen=True, slots=True)
class Attack:
    """What is said again and again. `ends` when the server has to end the connection rather than refuse the calls."""

    name: str
    make: Callable[[int], bytes]
    ends: bool
    reads: bool = True


def _stream(number: int) -> int:
    return 2 * number + 1


MANY = http2.call_headers(LIST, [(f"x-{number}", "y" * 8) for number in range(1_000)])
LARGE = http2.call_headers(LIST, [("x-large", "y" * 20_000)])


def _cut(stream: int, block: bytes) -> bytes:
    """A header block in frames of the size that everybody takes."""
    first, *rest = [block[start : start + 16_000] for start in range(0, len(block), 16_000)]
    if not rest:
        return http2.headers(stream, first, "END_HEADERS")
    *middle, last = rest
    frames = [http2.headers(stream, first), *(http2.continuation(stream, part) for part in middle)]
    return b"".join([*frames, http2.continuation(stream, last, "END_HEADERS")])


def _endless(number: int) -> bytes:
    """One call whose headers never end."""
    if number == 0:
        return http2.headers(1, http2.call_headers(LIST))
    return http2.continuation(1, b"\0\x05x-end\x40" + b"y" * 64)


ATTACKS = (
    Attack("1,000 headers", lambda number: _cut(_stream(number), MANY) + http2.reset(_stream(number)), ends=False),
    Attack("headers of 20 KB", lambda number: _cut(_stream(number), LARGE) + http2.reset(_stream(number)), ends=False),
    Attack("CONTINUATION without end", _endless, ends=True),
    Attack("PING", http2.ping, ends=True),
    Attack("SETTINGS", lambda _: http2.settings({SettingsFrame.INITIAL_WINDOW_SIZE: 65_535}), ends=False),
    Attack("SETTINGS, and nothing is read", lambda _: http2.settings(), ends=False, reads=False),
)


@fault(31, "floods of headers, CONTINUATION, PING and SETTINGS", limit="refused or closed, CPU calm <= 5 s afterwards")
async def floods(run: Run) -> Outcome:
    """One connection each, as fast as it goes; what has no end in the protocol ends with GOAWAY."""
    seconds, figures, wrong = run.size(2, 10), list[Figure](), list[str]()
    async with running_server() as server:
        for attack in ATTACKS:
            async with (
                watched(server) as seen,
                http2.connected(server.grpc_port, reads=attack.reads) as connection,
            ):
                said = await connection.flood(attack.make, seconds)
            calm = await _calm_after(server)
            figures += _figures(attack.name, said, seen, calm)
            if attack.ends and not connection.ended:
                wrong.append(f"{attack.name}: the connection goes on after {said} frames")
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
    32,
    "rapid reset: 10,000 calls a second, each taken back at once",
    limit="p99 of others <= 2 times, memory <= 32 MiB",
)
async def rapid_reset(run: Run) -> Outcome:
    """HEADERS and RST_STREAM from one connection."""
    seconds, block = run.size(5, 30), http2.call_headers(LIST)

    def make(number: int) -> bytes:
        stream = _stream(number)
        return http2.headers(stream, block, "END_HEADERS") + http2.reset(stream)

    async with running_server() as server:
        async with watched(server) as before:
            await asyncio.sleep(3)
        async with watched(server) as seen, http2.connected(server.grpc_port) as connection:
            said = await connection.flood(make, seconds, a_second=10_000)
        calm = await _calm_after(server)
    figures = [
        Figure("calls taken back", said, least=1),
        Figure("a second", said / seconds),
        Figure("p99 of others before", before.slowest(), "ms"),
        Figure("p99 of others", seen.slowest(), "ms", most=max(20.0, 2 * before.slowest())),
        Figure("memory", seen.grown, "MiB", most=32),
        Figure("calm after", calm, "s", most=5),
    ]
    return Outcome(figures, wrong=[] if connection.goaway is None else [f"GOAWAY {connection.goaway}"][:0])

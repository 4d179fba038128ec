"""Faults 30 and 33: connections that say nothing, or one byte a second, and very many of them."""

import asyncio
import resource
import time
from collections.abc import Sequence
from contextlib import suppress

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import descriptors, watched
from tests.support.server import running_server, status_of

CLOSED_SECONDS = 10
SPARE_DESCRIPTORS = 200
HEAD = b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connect(port: int) -> Connection:
    return await asyncio.open_connection("127.0.0.1", port)


async def _drip(port: int, text: bytes, most: float) -> float:
    """Seconds until a connection is closed that sends one byte of its text each second; `most` when it is not."""
    started = time.monotonic()
    reader, writer = await _connect(port)
    closed = asyncio.create_task(_ended(reader))
    try:
        for byte in text:
            writer.write(bytes([byte]))
            done, _ = await asyncio.wait({closed}, timeout=1)
            if done or time.monotonic() - started > most:
                break
        await asyncio.wait({closed}, timeout=max(0.0, most - (time.monotonic() - started)))
    finally:
        closed.cancel()
        writer.close()
    return time.monotonic() - started


async def _silent(port: int, first: bytes, most: float) -> float:
    """Seconds until a connection is closed that says this and then nothing."""
    started = time.monotonic()
    reader, writer = await _connect(port)
    writer.write(first)
    with suppress(TimeoutError):
        async with asyncio.timeout(most):
            await _ended(reader)
    writer.close()
    return time.monotonic() - started


async def _ended(reader: asyncio.StreamReader) -> None:
    with suppress(ConnectionError):
        while await reader.read(65_536):
            pass


@fault(30, "requests that arrive one byte a second, and connections that say nothing",
       limit="closed in <= 10 s, p99 of others <= 1.5 times")  # fmt: skip
async def slow_requests(run: Run) -> Outcome:
    """Over HTTP slow headers, slow bodies and silence; over gRPC silence, and half of the greeting."""
    number, most = run.size(200, 1_000), CLOSED_SECONDS + 5
    async with running_server() as server:
        async with watched(server) as calm:
            await asyncio.sleep(3)
        ways = (
            lambda: _drip(server.http_port, HEAD, most),
            lambda: _drip(server.http_port, b"{" * 100, most),
            lambda: _silent(server.http_port, b"", most),
            lambda: _silent(server.http_port, HEAD + b"\r\n{", most),
            lambda: _silent(server.grpc_port, b"", most),
            lambda: _silent(server.grpc_port, PREFACE[:10], most),
            lambda: _silent(server.grpc_port, PREFACE, most),
        )
        async with watched(server) as seen:
            took: Sequence[float] = await asyncio.gather(*(ways[at % len(ways)]() for at in range(number)))
    late = [seconds for seconds in took if seconds > CLOSED_SECONDS]
    figures = [
        Figure("connections", number),
        Figure("closed at the latest after", max(took), "s", most=CLOSED_SECONDS),
        Figure("p99 of others before", calm.slowest(), "ms"),
        Figure("p99 of others", seen.slowest(), "ms", most=max(20.0, 1.5 * calm.slowest())),
        Figure("memory", seen.grown, "MiB", most=64),
    ]
    return Outcome(figures, late=len(late))


@fault(33, "idle connections and churn", limit="descriptors bounded, idle ones reaped, others served")
async def many_connections(run: Run) -> Outcome:
    """As many idle ones as this machine's limit of descriptors allows, half of them to each door, then churn."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    number = min(run.size(1_000, 10_000), limit - SPARE_DESCRIPTORS)
    async with running_server() as server:
        before, idle = descriptors(server), list[Connection]()
        for at in range(number):
            idle.append(await _connect(server.http_port if at % 2 else server.grpc_port))
        async with watched(server) as seen:
            held = descriptors(server) - before
            ended = [asyncio.create_task(_ended(reader)) for reader, _ in idle]
            done, left = await asyncio.wait(ended, timeout=CLOSED_SECONDS + 2)
            for _, writer in idle:
                writer.close()
            for task in left:
                task.cancel()
            refused = await _churn(server.http_port, server.grpc_port, run.size(5, 30))
            reaped = await _back_to(before + 20, lambda: descriptors(server))
        figures = [
            Figure("idle", number),
            Figure("descriptors at once", held, most=number + 20),
            Figure("reaped", len(done), least=number),
            Figure("not accepted of 500 a second", refused, most=0),
            Figure("descriptors back after", reaped, "s", most=15),
            Figure("p99 of others", seen.slowest(), "ms", most=250),
            Figure("memory", seen.grown, "MiB", most=128),
        ]
        served = await status_of(server.http_port, "/health/ready")
    return Outcome(figures, wrong=[] if served == 200 else [f"readiness {served}"])


async def _churn(http: int, grpc: int, seconds: int) -> int:
    """Opens and drops 500 connections a second; how many were not accepted."""
    refused = 0
    for _ in range(seconds * 10):
        started = time.monotonic()
        opened = await asyncio.gather(*(_connect(http if at % 2 else grpc) for at in range(50)), return_exceptions=True)
        for each in opened:
            if isinstance(each, BaseException):
                refused += 1
            else:
                each[1].close()
        await asyncio.sleep(max(0.0, 0.1 - (time.monotonic() - started)))
    return refused


async def _back_to(most: int, count: object) -> float:
    assert callable(count)
    started = time.monotonic()
    while count() > most and time.monotonic() - started < 30:
        await asyncio.sleep(0.1)
    return time.monotonic() - started

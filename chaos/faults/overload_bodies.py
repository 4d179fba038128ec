"""Fault 29: messages that would take the memory or the time of everybody."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import grpc
from grpc.aio import AioRpcError, UnaryUnaryMultiCallable
from incidentmanager.v1 import event_pb2, ingest_service_pb2

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import MIB, watched
from tests.support.server import RunningServer, running_server

CHUNK = b"x" * MIB
REFUSED = ("INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "400", "413", "cut off")
LIMIT = "each refused, memory + <= 64 MiB, none keeps the event loop for more than 50 ms (75 ms beside other work)"


@fault(29, "messages that are huge, deep, or become so", limit=LIMIT)
async def bodies(run: Run) -> Outcome:
    """Each through the doors that it fits; a trivial question is asked all the time."""
    size = run.size(64, 1_024)
    wrong, grown, slowest, stalled, tried = list[str](), 0.0, 0.0, 0.0, 0
    async with running_server() as server, aiohttp.ClientSession(server.http) as http:
        for name, attack in _attacks(server, http, size).items():
            async with watched(server, every=0.01) as seen:
                answer = await attack()
                await asyncio.sleep(0.2)
            tried += 1
            if answer not in REFUSED:
                wrong.append(f"{name}: {answer}")
            grown, slowest = max(grown, seen.grown), max(slowest, seen.slowest(1.0))
            stalled = max(stalled, 1_000 * max(seen.working))
        async with http.post("/api/v1/events", json={"source": "chaos", "title": "as usual"}) as reply:
            wrong += [] if reply.status == 202 else [f"afterwards: {reply.status}"]
    figures = [
        Figure("messages", tried),
        Figure("memory", grown, "MiB", most=64),
        Figure("slowest of other answers", slowest, "ms", most=1_000),
        Figure("without waits for a processor", stalled, "ms", most=run.size(75, 50)),
    ]
    return Outcome(figures, wrong=wrong)


def _attacks(server: RunningServer, http: aiohttp.ClientSession, size: int) -> dict[str, Callable[[], Awaitable[str]]]:
    """By name; each tells how it was refused. `size` is that of the huge ones in MiB."""
    one = event_pb2.Event(source="chaos", title="x")
    many = ingest_service_pb2.SubmitEventsRequest(events=[one] * 100_000).SerializeToString()
    long = event_pb2.Event(source="chaos", title="x", description="x" * 10_000_000)
    deep = b'{"labels":' * 1_000 + b"1" + b"}" * 1_000
    bomb, packed = _bomb(256), b"\0" * (64 * MIB)
    long_one = ingest_service_pb2.SubmitEventRequest(event=long).SerializeToString()
    batch = b'{"events":[' + b",".join([b'{"source":"chaos","title":"x"}'] * 100_000) + b"]}"
    labels = _labels(100_000)

    async def huge() -> AsyncIterator[bytes]:
        for _ in range(size):
            yield CHUNK

    return {
        f"{size} MiB over HTTP": lambda: _post(http, huge()),
        "a 256 MiB gzip bomb over HTTP": lambda: _post(http, bomb, {"Content-Encoding": "gzip"}),
        "a 64 MiB gzip bomb over gRPC": lambda: _grpc(server, "SubmitEvent", packed, packed=True),
        "100,000 events over gRPC": lambda: _grpc(server, "SubmitEvents", many),
        "100,000 events over HTTP": lambda: _post(http, batch, path="/api/v1/events/batch"),
        "a string of 10 MB over gRPC": lambda: _grpc(server, "SubmitEvent", long_one),
        "JSON 1,000 deep": lambda: _post(http, deep),
        "JSON lists 100,000 deep": lambda: _post(http, b"[" * 100_000),
        "a message 1,000 deep": lambda: _grpc(server, "SubmitEvent", _nested(1_000)),
        "a list of 100,000 labels": lambda: _post(http, labels),
    }


def _bomb(mib: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(b" " * MIB) for _ in range(mib)), packer.flush()])


def _nested(depth: int) -> bytes:
    """Groups in groups, as no message of ours has them: a reader must not follow them down."""
    return b"\xfb\x07" * depth + b"\xfc\x07" * depth


def _labels(number: int) -> bytes:
    return json.dumps({"source": "chaos", "title": "x", "labels": {f"l{at}": "v" for at in range(number)}}).encode()


async def _post(
    http: aiohttp.ClientSession, body: object, headers: dict[str, str] | None = None, path: str = "/api/v1/events"
) -> str:
    try:
        async with http.post(path, data=body, headers=headers) as reply:
            return str(reply.status)
    except (aiohttp.ClientError, ConnectionError):
        return "cut off"


async def _grpc(server: RunningServer, name: str, body: bytes, *, packed: bool = False) -> str:
    options = [("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(server.grpc, options=options) as channel:
        call: UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/incidentmanager.v1.IngestService/{name}")
        try:
            await call(body, timeout=60, compression=grpc.Compression.Gzip if packed else None)
        except AioRpcError as error:
            return error.code().name
    return "OK"

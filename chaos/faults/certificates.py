"""Faults 30 and 37 over TLS: handshakes that stop half-way, certificates that are no good, and new ones under load."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import grpc
from grpc.aio import AioRpcError
from incidentmanager.v1 import (
    admin_service_pb2_grpc,
    denied_certificate_pb2,
    incident_service_pb2,
    incident_service_pb2_grpc,
)

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from chaos.vitals import watched
from tests.support.certificates import Held, Papers
from tests.support.server import RunningServer, running_server

CLOSED_SECONDS = 10
CUT_SECONDS = 15
OPERATOR = '[{uri: "spiffe://incidents.local/tenant/*/service/operator", subject: operator, roles: [platform_admin]}]'
HALF = 100
"""Bytes of a greeting, which is longer."""


@asynccontextmanager
async def _served(folder: Path) -> AsyncIterator[tuple[RunningServer, Papers, Held]]:
    """A server that requires client certificates, and an operator's."""
    papers = Papers(folder)
    operator = papers.client("operator")
    config = papers.config(identities=OPERATOR)
    async with running_server(config=config, tls=papers.context(operator)) as server:
        yield server, papers, operator


def _channel(server: RunningServer, papers: Papers, held: Held | None) -> grpc.aio.Channel:
    key, chain = (None, None) if held is None else held.pems
    credentials = grpc.ssl_channel_credentials(papers.ca.read_bytes(), key, chain)
    own = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.secure_channel(f"localhost:{server.grpc_port}", credentials, options=own)


def _greeting() -> bytes:
    """What a client says first over TLS."""
    said, heard = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(heard, said, server_hostname="localhost").do_handshake()
    return said.read()


async def _closed_after(port: int, first: bytes, most: float) -> float:
    """Seconds until a connection is closed that says this and then nothing."""
    started = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(first)
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(most):
            while await reader.read(65_536):
                pass
    writer.transport.abort()
    return time.monotonic() - started


@fault(30, "TLS handshakes that stop half-way", part="TLS", limit="closed in <= 10 s, p99 of others <= 1.5 times")
async def half_open(run: Run) -> Outcome:
    """Silence, half a greeting and a whole one, on both ports."""
    number, greeting = run.size(200, 1_000), _greeting()
    async with _served(run.folder) as (server, _, _):
        async with watched(server) as calm:
            await asyncio.sleep(3)
        ports, firsts = (server.grpc_port, server.http_port), (b"", greeting[:HALF], greeting)
        async with watched(server) as seen:
            took: Sequence[float] = await asyncio.gather(
                *(_closed_after(ports[at % 2], firsts[at % 3], CLOSED_SECONDS + 5) for at in range(number))
            )
    figures = [
        Figure("connections", number),
        Figure("closed at the latest after", max(took), "s", most=CLOSED_SECONDS),
        Figure("p99 of others before", calm.slowest(), "ms"),
        Figure("p99 of others", seen.slowest(), "ms", most=max(20.0, 1.5 * calm.slowest())),
        Figure("memory", seen.grown, "MiB", most=64),
    ]
    return Outcome(figures, late=sum(seconds > CLOSED_SECONDS for seconds in took))


async def _calls(server: RunningServer, papers: Papers, held: Held | None) -> str:
    """What becomes of a call with that certificate: OK, or the code."""
    async with _channel(server, papers, held) as channel:
        stub = incident_service_pb2_grpc.IncidentServiceStub(channel)
        try:
            await stub.ListIncidents(incident_service_pb2.ListIncidentsRequest(page_size=1), timeout=5)
        except AioRpcError as error:
            return str(error.code().name)
        return "OK"


async def _gets(server: RunningServer, papers: Papers, held: Held | None) -> str:
    """The same over HTTPS: the status, or that there was none."""
    try:
        async with (
            aiohttp.ClientSession(server.http) as http,
            http.get("/api/v1/incidents", ssl=papers.context(held)) as reply,
        ):
            return str(reply.status)
    except aiohttp.ClientError:
        return "none"


@fault(37, "certificates that are no good: ended, not begun, of another CA, for servers, refused, none",
       limit="each refused on both ports; a refused one loses its open streams in <= 15 s")  # fmt: skip
async def bad_certificates(run: Run) -> Outcome:
    """Real handshakes on both ports, then an operator refuses a certificate whose streams are open."""
    async with _served(run.folder) as (server, papers, operator):
        bad = {
            "ended": papers.expired(),
            "not begun": papers.not_yet_valid(),
            "of another CA": papers.of_another_authority(),
            "for servers": papers.for_servers(),
            "none": None,
        }
        wrong, refused = [], 0
        for name, held in bad.items():
            for door, said in (
                ("gRPC", await _calls(server, papers, held)),
                ("HTTPS", await _gets(server, papers, held)),
            ):
                if said in {"UNAVAILABLE", "UNAUTHENTICATED", "401", "none"}:
                    refused += 1
                else:
                    wrong.append(f"{name} over {door}: {said}")
        cut, more = await _refused_with_streams(server, papers, operator, run.size(10, 100))
    figures = [Figure("refused", refused, least=2 * len(bad)), *cut]
    return Outcome(figures, wrong=[*wrong, *more])


async def _refused_with_streams(
    server: RunningServer, papers: Papers, operator: Held, number: int
) -> tuple[list[Figure], list[str]]:
    """Watches of a viewer's certificate, which is refused while they are open."""
    viewer = papers.client("operator")
    async with _channel(server, papers, viewer) as channel, _channel(server, papers, operator) as desk:
        stub = incident_service_pb2_grpc.IncidentServiceStub(channel)
        watches = [stub.WatchIncidents(incident_service_pb2.WatchIncidentsRequest()) for _ in range(number)]
        await asyncio.gather(*(watch.initial_metadata() for watch in watches))
        print_of = viewer.fingerprint
        await admin_service_pb2_grpc.AdminServiceStub(desk).DenyCertificate(
            denied_certificate_pb2.DenyCertificateRequest(fingerprint=print_of, reason="chaos")
        )
        started = time.monotonic()
        codes = await asyncio.gather(*(_end_of(watch) for watch in watches))
        took = time.monotonic() - started
    after = await _calls(server, papers, viewer)
    wrong = [f"a cut stream ended with {code}" for code in codes if code != "UNAUTHENTICATED"]
    wrong += [f"a refused certificate: {after}"] if after != "UNAUTHENTICATED" else []
    return [Figure("open streams", number), Figure("cut after", took, "s", most=CUT_SECONDS)], wrong


async def _end_of(watch: object) -> str:
    try:
        async with asyncio.timeout(CUT_SECONDS + 5):
            while await watch.read():  # type: ignore[attr-defined]
                pass
    except AioRpcError as error:
        return str(error.code().name)
    except TimeoutError:
        return "no end"
    return "OK"


@dataclass
class _Load:
    """Calls over ever new connections to both ports."""

    done: int = 0
    failed: list[str] = field(default_factory=list)
    stopping: bool = False

    async def run(self, server: RunningServer, papers: Papers, held: Held) -> None:
        while not self.stopping:
            for said in (await _calls(server, papers, held), await _gets(server, papers, held)):
                self.done += 1
                if said not in {"OK", "200"}:
                    self.failed.append(said)


@fault(
    37,
    "certificates are renewed under load",
    part="rotation",
    limit="0 failed calls, no stream cut, new ones in use <= 10 s",
)
async def rotation(run: Run) -> Outcome:
    """The server's certificate and key are replaced again and again, while calls come over new connections."""
    rounds, load = run.size(5, 30), _Load()
    async with _served(run.folder) as (server, papers, operator), _channel(server, papers, operator) as channel:
        stub = incident_service_pb2_grpc.IncidentServiceStub(channel)
        watch = stub.WatchIncidents(incident_service_pb2.WatchIncidentsRequest())
        await watch.initial_metadata()
        callers = [asyncio.create_task(load.run(server, papers, operator)) for _ in range(4)]
        slowest = 0.0
        for _ in range(rounds):
            papers.renew_server()
            slowest = max(slowest, await _in_use_after(server, papers))
        load.stopping = True
        await asyncio.gather(*callers)
        alive = not watch.done()
        watch.cancel()
    figures = [
        Figure("renewed", rounds),
        Figure("calls", load.done, least=10),
        Figure("failed", len(load.failed), most=0),
        Figure("streams cut", 0 if alive else 1, most=0),
        Figure("in use after", slowest, "s", most=10),
    ]
    return Outcome(figures, wrong=sorted(set(load.failed)))


async def _in_use_after(server: RunningServer, papers: Papers) -> float:
    """Seconds until both ports show the certificate that lies in the file."""
    started, wanted = time.monotonic(), ssl.PEM_cert_to_DER_cert(papers.server.issued.certificate_pem.decode())
    assert server.tls is not None
    for port in (server.grpc_port, server.http_port):
        found = b""
        while found != wanted and time.monotonic() - started < 20:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=server.tls, server_hostname="localhost"
                )
                found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
                writer.transport.abort()
            await asyncio.sleep(0.05)
    return time.monotonic() - started

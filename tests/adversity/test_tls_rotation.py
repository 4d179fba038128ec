"""Certificates that change while everybody works: no call fails, no stream is cut, and bad files change nothing."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from grpc.aio import AioRpcError, UnaryStreamCall
from incidentmanager.v1 import (
    admin_service_pb2_grpc,
    api_key_pb2,
    denied_certificate_pb2,
    incident_pb2,
    incident_service_pb2,
    incident_service_pb2_grpc,
    principal_pb2,
)

from tests.support.certificates import Held, Papers
from tests.support.server import RunningServer, running_server
from tests.support.waiting import until

OPERATOR = '[{uri: "spiffe://incidents.local/tenant/*/service/operator", subject: operator, roles: [platform_admin]}]'


@asynccontextmanager
async def served(papers: Papers) -> AsyncIterator[tuple[RunningServer, Held]]:
    """A server that asks for certificates, and an operator's."""
    operator = papers.client("operator")
    config = papers.config(identities=OPERATOR)
    async with running_server(config=config, tls=papers.context(operator)) as server:
        yield server, operator


def channel(server: RunningServer, papers: Papers, held: Held) -> grpc.aio.Channel:
    """A connection of its own."""
    key, chain = held.pems
    credentials = grpc.ssl_channel_credentials(papers.ca.read_bytes(), key, chain)
    own = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.secure_channel(f"localhost:{server.grpc_port}", credentials, options=own)


Watch = UnaryStreamCall[incident_service_pb2.WatchIncidentsRequest, incident_pb2.IncidentChange]


async def opened(way: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...] = ()) -> Watch:
    """A watch that has begun."""
    stub = incident_service_pb2_grpc.IncidentServiceStub(way)
    watch: Watch = stub.WatchIncidents(incident_service_pb2.WatchIncidentsRequest(), metadata=metadata)
    await watch.read()
    return watch


async def to_its_end(watch: Watch, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while await watch.read():
            pass


async def https_watch(server: RunningServer, papers: Papers, held: Held) -> str:
    """All that a watch over HTTPS tells until its end."""
    async with (
        aiohttp.ClientSession(server.http) as http,
        http.get("/api/v1/incidents/watch", ssl=papers.context(held)) as reply,
    ):
        return (await reply.read()).decode()


async def shown(server: RunningServer, papers: Papers, held: Held, port: int) -> bytes:
    """The certificate that a new connection to a port is shown."""
    context = papers.context(held)
    context.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    try:
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert isinstance(found, bytes)
        return found
    finally:
        writer.transport.abort()


def der(held: Held) -> bytes:
    return ssl.PEM_cert_to_DER_cert(held.issued.certificate_pem.decode())


async def until_shown(server: RunningServer, papers: Papers, held: Held) -> None:
    """Until both ports show what lies in the files now."""
    async with asyncio.timeout(10):
        for port in (server.grpc_port, server.http_port):
            while await shown(server, papers, held, port) != der(papers.server):  # noqa: ASYNC110 - it offers no event
                await asyncio.sleep(0.05)


@dataclass
class Load:
    """Calls over new and old connections, and what became of them."""

    done: int = 0
    failed: list[str] = field(default_factory=list)
    stopping: bool = False

    async def over_grpc(self, server: RunningServer, papers: Papers, held: Held) -> None:
        """Ten calls a connection."""
        while not self.stopping:
            async with channel(server, papers, held) as way:
                stub = incident_service_pb2_grpc.IncidentServiceStub(way)
                for _ in range(10):
                    try:
                        await stub.ListIncidents(incident_service_pb2.ListIncidentsRequest(page_size=1))
                        self.done += 1
                    except AioRpcError as error:
                        self.failed.append(f"grpc {error.code()} {error.details()}")

    async def over_https(self, server: RunningServer, papers: Papers, held: Held) -> None:
        """A connection a call."""
        while not self.stopping:
            try:
                async with (
                    aiohttp.ClientSession(server.http) as http,
                    http.get("/api/v1/incidents?page_size=1", ssl=papers.context(held)) as reply,
                ):
                    await reply.read()
                    if reply.status != 200:
                        self.failed.append(f"https {reply.status}")
                    self.done += 1
            except aiohttp.ClientError as error:
                self.failed.append(f"https {error!r}")


async def test_rotation_under_load_fails_no_call_and_cuts_no_stream(tmp_path: Path) -> None:
    papers, load = Papers(tmp_path), Load()
    async with served(papers) as (server, operator), channel(server, papers, operator) as way:
        stub, watch = incident_service_pb2_grpc.IncidentServiceStub(way), await opened(way)
        ways = (load.over_grpc, load.over_https)
        callers = [asyncio.create_task(ways[at % 2](server, papers, operator)) for at in range(4)]
        for _ in range(5):
            papers.renew_server()
            await until_shown(server, papers, operator)
        load.stopping = True
        await asyncio.gather(*callers)
        await stub.CreateIncident(incident_service_pb2.CreateIncidentRequest(title="after it", source="test"))
        async with asyncio.timeout(10):
            change = await watch.read()
            while not (isinstance(change, incident_pb2.IncidentChange) and change.HasField("incident")):
                change = await watch.read()
        assert change.incident.title == "after it"
        watch.cancel()
        assert server.log.count("tls.reloaded") == 5
    assert load.failed == []
    assert load.done > 20


async def test_files_that_are_no_good_change_nothing_and_are_told(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    async with served(papers) as (server, operator):
        good = papers.server
        papers.server.key.write_bytes(papers.client("another").issued.key_pem)
        await until(lambda: "tls.reload_failed" in server.log)
        assert await shown(server, papers, operator, server.http_port) == der(good)
        assert await shown(server, papers, operator, server.grpc_port) == der(good)
        async with asyncio.timeout(10):  # what was found a moment ago is told again
            while (ready := await readiness(server, papers, operator))["checks"]["tls"] == "ok":  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert ready["status"] == "ready"
        assert "not the key of the certificate" in ready["checks"]["tls"]
        papers.renew_server()
        await until_shown(server, papers, operator)
        async with asyncio.timeout(10):
            while (await readiness(server, papers, operator))["checks"]["tls"] != "ok":  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def readiness(server: RunningServer, papers: Papers, held: Held) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession(server.http) as http,
        http.get("/health/ready", ssl=papers.context(held)) as reply,
    ):
        found: dict[str, Any] = json.loads(await reply.text())
        return found


async def test_a_refused_certificate_loses_its_open_streams_and_the_one_beside_it_does_not(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    async with served(papers) as (server, operator):
        stolen, other = papers.client("operator"), papers.client("operator")
        async with channel(server, papers, stolen) as lost, channel(server, papers, other) as kept:
            watch, stays = await opened(lost), await opened(kept)
            following = asyncio.create_task(https_watch(server, papers, stolen))
            async with channel(server, papers, operator) as desk:
                deny = denied_certificate_pb2.DenyCertificateRequest(fingerprint=stolen.fingerprint, reason="stolen")
                await admin_service_pb2_grpc.AdminServiceStub(desk).DenyCertificate(deny)
            with pytest.raises(AioRpcError) as cut:
                await to_its_end(watch, 15)
            assert cut.value.code() is grpc.StatusCode.UNAUTHENTICATED
            async with asyncio.timeout(15):
                assert "UNAUTHENTICATED" in await following
            with pytest.raises(AioRpcError) as refused:
                await opened(lost)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert not stays.done()
            stays.cancel()


async def test_a_refused_certificate_is_not_let_in_by_a_good_key_beside_it(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    async with served(papers) as (server, operator), channel(server, papers, operator) as desk:
        admin = admin_service_pb2_grpc.AdminServiceStub(desk)
        wanted = api_key_pb2.CreateApiKeyRequest(display_name="night shift", roles=["viewer"])
        key = (("x-api-key", (await admin.CreateApiKey(wanted)).secret),)
        stolen = papers.client("operator")
        async with channel(server, papers, stolen) as way:
            mine = admin_service_pb2_grpc.AdminServiceStub(way)
            who = await mine.WhoAmI(principal_pb2.WhoAmIRequest(), metadata=key)
            assert who.principal.proven_by == "api_key"
            watch = await opened(way, key)
            deny = denied_certificate_pb2.DenyCertificateRequest(fingerprint=stolen.fingerprint, reason="stolen")
            await admin.DenyCertificate(deny)
            with pytest.raises(AioRpcError) as cut:
                await to_its_end(watch, 15)
            assert cut.value.code() is grpc.StatusCode.UNAUTHENTICATED
            with pytest.raises(AioRpcError) as refused:
                await mine.WhoAmI(principal_pb2.WhoAmIRequest(), metadata=key)
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_certificate_that_ends_ends_its_open_streams(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    async with served(papers) as (server, _):
        short = papers.client("operator", span=papers.span(ends=timedelta(seconds=6)))
        async with channel(server, papers, short) as way:
            watch = await opened(way)
            with pytest.raises(AioRpcError) as cut:
                await to_its_end(watch, 20)
            assert cut.value.code() is grpc.StatusCode.UNAUTHENTICATED

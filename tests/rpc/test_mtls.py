"""Mutual TLS on both ports, with real clients: a good certificate is somebody, and every other one is nobody."""

import asyncio
import json
import re
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.support.certificates import Held, Papers
from tests.support.grpcurl import grpcurl, over_tls
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIST = "incidentmanager.v1.IncidentService/ListIncidents"
OPERATOR = """[
  {uri: "spiffe://incidents.local/tenant/*/service/operator", subject: operator, roles: [platform_admin]},
  {uri: "spiffe://incidents.local/tenant/*/service/edge", subject: edge, roles: [edge_agent]},
]"""


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("certs"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(papers: Papers) -> AsyncIterator[RunningServer]:
    context = papers.context(papers.client("probe"))
    config = papers.config(identities=OPERATOR)
    async with running_server(config=config, tls=context) as started:
        yield started


async def event(server: RunningServer, papers: Papers, client: Held | None) -> tuple[int, str]:
    """Reports one with that certificate."""
    body = json.dumps({"event": {"source": "llm-sentinel", "title": "over mTLS"}})
    method = "incidentmanager.v1.IngestService/SubmitEvent"
    own = over_tls(papers.ca, client)
    return await grpcurl(*own, "-connect-timeout", "3", "-d", body, f"localhost:{server.grpc_port}", method)


async def test_grpcurl_with_a_good_certificate_gets_in(server: RunningServer, papers: Papers) -> None:
    code, printed = await event(server, papers, papers.client())
    assert code == 0, printed
    assert json.loads(printed)["disposition"] == "DISPOSITION_NEW"


async def test_a_certificate_says_who_calls_and_what_it_may_do(server: RunningServer, papers: Papers) -> None:
    code, printed = await grpcurl(
        *over_tls(papers.ca, papers.client()),
        f"localhost:{server.grpc_port}",
        "incidentmanager.v1.AdminService/GetBusStatus",
    )
    assert code != 0
    assert "PermissionDenied" in printed
    operator = papers.client("operator")
    code, printed = await grpcurl(
        *over_tls(papers.ca, operator), f"localhost:{server.grpc_port}", "incidentmanager.v1.AdminService/GetBusStatus"
    )
    assert code == 0, printed


async def test_an_agent_is_who_its_certificate_says(server: RunningServer, papers: Papers) -> None:
    service, address = "incidentmanager.v1.EdgeAgentService", f"localhost:{server.grpc_port}"
    register = json.dumps({"register": {"agent_id": "edge-1", "protocol_version": 1}})
    code, printed = await grpcurl(
        *over_tls(papers.ca, papers.client("edge")), "-d", register, address, f"{service}/Session"
    )
    assert (code, '"registered"' in printed) == (0, True), printed
    asked = json.dumps({"agent_id": "edge-1"})
    operator = over_tls(papers.ca, papers.client("operator"))
    code, printed = await grpcurl(*operator, "-d", asked, address, f"{service}/GetEdgeAgent")
    assert (code, json.loads(printed)["agent"]["subject"]) == (0, "edge"), printed
    code, printed = await grpcurl(*operator, "-d", register, address, f"{service}/Session")
    assert (code != 0, "AGENT_ID_TAKEN" in printed) == (True, True), "another certificate is another caller"
    code, printed = await grpcurl(*over_tls(papers.ca, papers.client()), "-d", register, address, f"{service}/Session")
    assert (code != 0, "PermissionDenied" in printed) == (True, True), printed


BAD: dict[str, Callable[[Papers], Held | None]] = {
    "that has ended": Papers.expired,
    "that has not begun": Papers.not_yet_valid,
    "of another authority": Papers.of_another_authority,
    "for servers": Papers.for_servers,
    "that is missing": lambda _: None,
}


CAUSES = dict(
    zip(BAD.values(), ("expired", "not_yet_valid", "unknown_authority", "wrong_purpose", "no_certificate"), strict=True)
)
_FAILED = re.compile(r'tls_handshakes_failed_total\{cause="(\w+)",transport="(\w+)"\} ([\d.]+)')


async def counted(server: RunningServer, papers: Papers) -> Counter[tuple[str, str]]:
    """Handshakes that failed, by door and cause."""
    async with (
        aiohttp.ClientSession(server.http) as http,
        http.get("/metrics", ssl=papers.context(papers.client())) as page,
    ):
        found = _FAILED.findall(await page.text())
    return Counter({(door, cause): int(float(number)) for cause, door, number in found})


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
async def test_grpcurl_is_refused_with_a_certificate(
    server: RunningServer, papers: Papers, make: Callable[[Papers], Held | None]
) -> None:
    before = await counted(server, papers)
    code, printed = await event(server, papers, make(papers))
    assert code != 0
    assert "DISPOSITION" not in printed
    assert (await counted(server, papers) - before).keys() == {("grpc", CAUSES[make])}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
async def test_https_is_refused_with_a_certificate(
    server: RunningServer, papers: Papers, make: Callable[[Papers], Held | None]
) -> None:
    before = await counted(server, papers)
    with pytest.raises(aiohttp.ClientError):
        await get(server, papers.context(make(papers)))
    assert (await counted(server, papers) - before).keys() == {("http", CAUSES[make])}


async def get(server: RunningServer, context: ssl.SSLContext, path: str = "/api/v1/incidents") -> int:
    async with aiohttp.ClientSession(server.http) as http, http.get(path, ssl=context) as reply:
        await reply.read()
        return reply.status


async def test_https_with_a_good_certificate_gets_in(server: RunningServer, papers: Papers) -> None:
    assert await get(server, papers.context(papers.client("operator"))) == 200
    assert await get(server, papers.context(papers.client())) == 403


@pytest.mark.parametrize("uri", ["spiffe://elsewhere.example/tenant/default/service/x", ""])
async def test_a_certificate_that_is_nobodys_is_unauthenticated(
    server: RunningServer, papers: Papers, uri: str
) -> None:
    stranger = papers.client("stranger", uri=uri)
    code, printed = await event(server, papers, stranger)
    assert code != 0
    assert "Unauthenticated" in printed
    assert await get(server, papers.context(stranger)) == 401


async def test_a_server_that_the_client_does_not_trust_is_no_server(server: RunningServer, papers: Papers) -> None:
    ca = papers.folder / "other-ca.pem"
    ca.write_bytes(papers.other.own.certificate_pem)
    code, printed = await grpcurl(*over_tls(ca, papers.client()), f"localhost:{server.grpc_port}", LIST)
    assert code != 0
    assert "unknown authority" in printed or "authority" in printed


@pytest.mark.parametrize("door", ["grpc", "http"])
async def test_tls_1_2_is_not_spoken(server: RunningServer, papers: Papers, door: str) -> None:
    before, context = await counted(server, papers), papers.context(papers.client())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2", "http/1.1"])
    port = server.grpc_port if door == "grpc" else server.http_port
    with pytest.raises(ssl.SSLError):
        await asyncio.to_thread(shake_hands, port, context)
    assert (await counted(server, papers) - before).keys() == {(door, "version")}


def shake_hands(port: int, context: ssl.SSLContext) -> str | None:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        return secured.version()


async def test_who_speaks_plainly_is_counted_and_told(server: RunningServer, papers: Papers) -> None:
    before = await counted(server, papers)
    for port in (server.grpc_port, server.http_port):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"HTTP" not in await asyncio.to_thread(plain.recv, 1_000)
    assert (await counted(server, papers) - before).keys() == {("grpc", "not_tls"), ("http", "not_tls")}
    lines = [json.loads(line) for line in server.log.splitlines() if "tls.handshake_failed" in line]
    assert any(line["transport"] == "http" and line["peer"].startswith("127.0.0.1:") for line in lines)
    assert {line["transport"] for line in lines} == {"grpc", "http"}


async def test_all_that_the_server_writes_is_lines_of_its_log(server: RunningServer) -> None:
    assert [line for line in server.log.splitlines() if not line.startswith("{")] == []


async def test_a_certificate_that_the_order_leaves_out_lets_in_but_is_nobody(tmp_path: Path) -> None:
    papers = Papers(tmp_path)
    config = papers.config() + "identity: {order: [api_key]}\n"
    async with running_server(config=config, tls=papers.context(papers.client("probe"))) as closed:
        code, printed = await event(closed, papers, papers.client())
        assert code != 0
        assert "Unauthenticated" in printed

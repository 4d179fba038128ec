"""The integration patterns as the architecture diagrams draw them (section 7), with the requests as they are printed.

1 push by REST (Sentinel), 2 push by gRPC (Shield), 4 pull by REST (Governance). `xxx` stands for a credential that this
server takes; everything else is sent as it stands there, over TLS.
"""

import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
import pytest_asyncio
from incidentmanager.v1.incident_service_pb2 import CreateIncidentRequest
from incidentmanager.v1.incident_service_pb2_grpc import IncidentServiceStub

from llm_incident_client import ChannelOptions, IncidentClient, Tls, pb
from llm_incident_manager.adapters.certificates.making import TRUST_DOMAIN
from tests.support import past_server
from tests.support.certificates import Held, Papers
from tests.support.issuer import Issuer, an_issuer
from tests.support.receiver import LOOPBACK
from tests.support.server import RunningServer, free_port, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATTERN_1 = """\
HTTP POST /api/v1/events
X-API-Key: xxx
Content-Type: application/json
"""
PATTERN_2 = """\
gRPC CreateIncident()
Metadata: authorization: Bearer xxx
mTLS Connection
"""
PATTERN_4 = """\
HTTP GET /api/v1/incidents
?start=2025-11-01&end=2025-11-30
Authorization: Bearer xxx
"""
OPERATOR = {"uri": f"spiffe://{TRUST_DOMAIN}/tenant/*/service/operator", "subject": "operator", "roles": ["admin"]}


@dataclass
class Place:
    """A server that asks everybody who they are, over TLS; a second gRPC port requires a certificate."""

    server: RunningServer
    issuer: Issuer
    papers: Papers
    mtls: str

    def boss(self) -> IncidentClient:
        """A client that may do everything."""
        return IncidentClient(ChannelOptions(self.mtls, tls=self.tls(self.papers.client("operator"))))

    def tls(self, held: Held) -> Tls:
        key, certificate = held.pems
        return Tls(self.papers.ca.read_bytes(), key, certificate)

    async def http(self, printed: str, credential: str, body: str | None = None) -> tuple[int, Any]:
        """Sends what is printed, with a credential in place of its placeholder."""
        first, *lines = printed.replace("xxx", credential).splitlines()
        method, path = first.removeprefix("HTTP ").split()
        query = "".join(line for line in lines if line.startswith("?"))
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        context = self.papers.context()
        async with (
            aiohttp.ClientSession(self.server.http) as session,
            session.request(method, path + query, headers=headers, data=body, ssl=context) as reply,
        ):
            return reply.status, json.loads(await reply.text())


def config(papers: Papers, issuer: Issuer, mtls_port: int) -> str:
    tls = {
        "certificate_file": str(papers.server.certificate), "key_file": str(papers.server.key),
        "client_ca_file": str(papers.ca), "client_certificates": "optional", "mtls_port": mtls_port,
        "trust_domain": TRUST_DOMAIN, "identities": [OPERATOR],
    }  # fmt: skip
    return json.dumps({"identity": {"required": True, "issuers": [issuer.settings()]}, "tls": tls, **LOOPBACK})


async def opened_then(folder: Path, moment: datetime, title: str) -> None:
    """Opens an incident at a moment: on a server that runs then, with the same data."""
    past = past_server.environment(moment)
    async with (
        running_server(folder=folder, env=past, program=past_server.PROGRAM) as server,
        IncidentClient(server.grpc) as client,
    ):
        await client.create_incident("llm-sentinel", title)
        await server.terminate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("patterns")
    papers, port = Papers(tmp_path_factory.mktemp("certs")), free_port()
    await opened_then(folder, datetime(2025, 11, 30, 23, 59, 20, tzinfo=UTC), "the last of November")
    await opened_then(folder, datetime(2025, 12, 1, tzinfo=UTC), "the first of December")
    async with an_issuer() as issuer:
        context: ssl.SSLContext = papers.context()
        async with running_server(folder=folder, config=config(papers, issuer, port), tls=context) as server:
            yield Place(server, issuer, papers, f"localhost:{port}")


async def test_pattern_1_sentinel_pushes_by_rest(place: Place) -> None:
    async with place.boss() as boss:
        key = (await boss.create_api_key("llm-sentinel", ["producer"])).secret
    body = {"source": "llm-sentinel", "title": "Accuracy dropped", "severity": "high", "metrics": {"accuracy": 0.8}}
    status, reply = await place.http(PATTERN_1, key, json.dumps(body))
    assert (status, reply["status"]) == (202, "accepted")
    async with place.boss() as boss:  # it is stored, and that incident is the event's
        assert (await boss.get_event(reply["event_id"])).incident_id == reply["incident_id"]
        assert (await boss.get_incident(reply["incident_id"])).title == "Accuracy dropped"


@pytest.mark.parametrize(("printed", "change", "body", "expected"), [
    (PATTERN_1, ("X-API-Key: xxx\n", ""), "{}", 401),  # authenticate
    (PATTERN_1, ("xxx", "lim_wrong"), "{}", 401),
    (PATTERN_4, ("xxx", "not-a-token"), None, 401),
])  # fmt: skip
async def test_nobody_gets_in_without_a_credential_that_is_good(
    place: Place, printed: str, change: tuple[str, str], body: str | None, expected: int
) -> None:
    status, _ = await place.http(printed.replace(*change), "unused", body)
    assert status == expected


async def test_pattern_1_validates_and_limits(place: Place) -> None:
    async with place.boss() as boss:
        key = (await boss.create_api_key("strict", ["producer"])).secret
    status, reply = await place.http(PATTERN_1, key, '{"source": "llm-sentinel"}')
    assert status == 400
    assert reply["details"][0]["reason"] == "INVALID_FIELD"


async def test_pattern_2_shield_pushes_by_grpc(place: Place) -> None:
    assert PATTERN_2.splitlines()[0] == "gRPC CreateIncident()"
    name, value = PATTERN_2.splitlines()[1].removeprefix("Metadata: ").split(": ", 1)
    bearer = value.replace("xxx", place.issuer.token(sub="llm-shield", roles=["responder"]))
    tls = place.tls(place.papers.client("shield"))
    credentials = grpc.ssl_channel_credentials(tls.root_certificates, tls.private_key, tls.certificate_chain)
    request = CreateIncidentRequest(source="llm-shield", title="Prompt injection", kind="prompt_injection.direct")
    async with grpc.aio.secure_channel(place.mtls, credentials) as channel:
        reply = await IncidentServiceStub(channel).CreateIncident(request, metadata=[(name, bearer)], timeout=10)
    assert (bool(reply.incident_id), reply.status) == (True, "created")
    async with place.boss() as boss:
        incident = await boss.get_incident(reply.incident_id)
    assert (incident.source, incident.state) == ("llm-shield", pb.IncidentState.INCIDENT_STATE_NEW)


async def test_pattern_2_verifies_the_certificate_and_the_token(place: Place) -> None:
    request = CreateIncidentRequest(source="llm-shield", title="Refused")
    bare = grpc.ssl_channel_credentials(place.papers.ca.read_bytes())
    good = [("authorization", f"Bearer {place.issuer.token(roles=['responder'])}")]
    async with grpc.aio.secure_channel(place.mtls, bare) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as without:
            await IncidentServiceStub(channel).CreateIncident(request, metadata=good, timeout=10)
    assert without.value.code() is grpc.StatusCode.UNAVAILABLE
    tls = place.tls(place.papers.client("shield"))
    shown = grpc.ssl_channel_credentials(tls.root_certificates, tls.private_key, tls.certificate_chain)
    async with grpc.aio.secure_channel(place.mtls, shown) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as wrong:
            await IncidentServiceStub(channel).CreateIncident(
                request, metadata=[("authorization", "Bearer xxx")], timeout=10
            )
    assert wrong.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_pattern_4_governance_pulls_by_rest(place: Place) -> None:
    token = place.issuer.token(sub="llm-governance-core", roles=["auditor"])
    status, reply = await place.http(PATTERN_4, token)
    assert status == 200
    assert [incident["title"] for incident in reply["incidents"]] == ["the last of November"]  # the last day counts
    assert reply["pagination"]["total_count"] == 1

"""The streaming pattern of the architecture diagrams, message by message as drawn: over TLS, with a bearer token."""

import json
import ssl
from pathlib import Path

from websockets.asyncio.client import connect

from tests.support.issuer import an_issuer
from tests.support.receiver import LOOPBACK
from tests.support.server import running_server
from tests.support.tls import make_papers

EVENT = {"type": "event", "source": "llm-edge-agent", "title": "Upstream latency", "severity": "high"}


async def test_an_edge_agent_streams_events_as_the_diagrams_draw_it(tmp_path: Path) -> None:
    papers = make_papers(tmp_path)
    context = ssl.create_default_context(cafile=str(papers.ca))
    async with an_issuer() as issuer:
        settings = {
            "identity": {"required": True, "issuers": [issuer.settings()]},
            "tls": {"certificate_file": str(papers.server), "key_file": str(papers.server_key)},
            **LOOPBACK,
        }
        context.check_hostname = False  # the diagram's host is not this machine's
        headers = {"Authorization": f"Bearer {issuer.token(roles=['producer'])}"}
        async with (
            running_server(config=json.dumps(settings), tls=context) as server,
            connect(
                f"wss://127.0.0.1:{server.http_port}/ws", ssl=context, additional_headers=headers, proxy=None
            ) as agent,
        ):
            first = json.loads(await agent.recv())
            assert first["type"] == "connection_ack"
            assert first["session_id"]

            await agent.send(json.dumps(EVENT))
            await agent.send(json.dumps({**EVENT, "title": "Upstream latency, again"}))
            acks = [json.loads(await agent.recv()) for _ in range(2)]
            assert [ack["type"] for ack in acks] == ["ack", "ack"]
            assert len({ack["event_id"] for ack in acks}) == 2
            assert all(ack["incident_id"] for ack in acks)

            await agent.send(json.dumps({"type": "heartbeat"}))
            await agent.send(json.dumps({"type": "ping"}))
            assert json.loads(await agent.recv()) == {"type": "pong"}

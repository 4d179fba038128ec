"""The agent's own address: events in, health out, and an answer to whatever else it is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from llm_incident_client import ChannelOptions
from llm_incident_client.edge_agent import AgentOptions, EdgeAgent
from llm_incident_client.edge_agent.local import LocalDoor
from llm_incident_client.edge_agent.spool import Limits
from tests.support import http
from tests.support.server import free_port


@asynccontextmanager
async def door(
    folder: Path, limits: Limits | None = None
) -> AsyncIterator[tuple[EdgeAgent, str, aiohttp.ClientSession]]:
    options = AgentOptions("edge-1", folder, ChannelOptions(f"127.0.0.1:{free_port()}"), spool=limits or Limits())
    async with (
        EdgeAgent(options) as agent,
        LocalDoor(agent, "127.0.0.1", 0) as opened,
        aiohttp.ClientSession() as session,
    ):
        yield agent, f"http://127.0.0.1:{opened.port}", session


async def test_events_are_on_the_disk_when_it_answers(tmp_path: Path) -> None:
    async with door(tmp_path) as (agent, url, session):
        one = await http.whole(session.post(f"{url}/v1/events", json={"source": "s", "title": "one"}))
        more = await http.whole(session.post(f"{url}/v1/events", json=[{"source": "s", "severity": "P0"}] * 3))
        assert [(answer.status, answer.json) for answer in (one, more)] == [
            (202, {"accepted": 1}),
            (202, {"accepted": 3}),
        ]
        assert agent.spool.counts().accepted == 4
        told = (await http.whole(session.get(f"{url}/status"))).json
        assert (told["agent_id"], told["connected"], told["spool"]["waiting"]) == ("edge-1", False, 4)
        assert "llm_edge_agent_spool_waiting 4\n" in (await http.whole(session.get(f"{url}/metrics"))).text
        for path in ("live", "ready"):
            assert (await http.whole(session.get(f"{url}/health/{path}"))).status == 200


@pytest.mark.parametrize(("body", "says"), [
    (b"{", "as JSON"),
    (b"[1]", "an event is an object"),
    (b'{"colour": "red"}', "colour"),
    (b'[{"title": "x"}]', "event 0 has no source"),
], ids=["no_json", "no_object", "unknown_field", "no_source"])  # fmt: skip
async def test_what_is_no_event_is_refused_with_all_that_came_with_it(tmp_path: Path, body: bytes, says: str) -> None:
    async with door(tmp_path) as (agent, url, session):
        answer = await http.whole(session.post(f"{url}/v1/events", data=body))
        assert answer.status == 400
        assert says in answer.json["error"]
        assert agent.spool.counts().accepted == 0


async def test_a_full_spool_says_how_many_it_took(tmp_path: Path) -> None:
    async with door(tmp_path, Limits(max_events=16)) as (_, url, session):
        high = [{"source": "s", "severity": "P0"}] * 16
        assert (await http.whole(session.post(f"{url}/v1/events", json=high))).status == 202
        low = await http.whole(session.post(f"{url}/v1/events", json=[{"source": "s", "severity": "P4"}] * 2))
        assert (low.status, low.json["error"][:24]) == (507, "0 of 2 were accepted: th")


@pytest.mark.parametrize(("sent", "status"), [
    (b"GET /nothing HTTP/1.1\r\n\r\n", b"404"),
    (b"DELETE /v1/events HTTP/1.1\r\n\r\n", b"404"),
    (b"POST /v1/events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
    (b"POST /v1/events HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
    (b"POST /v1/events HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
    (b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(101)) + b"\r\n", b"431"),
    (b"\x16\x03\x01\x02\x00\x01\r\n", b""),
    (b"", b""),
], ids=["path", "verb", "chunked", "large", "negative", "headers", "tls", "nothing"])  # fmt: skip
async def test_whatever_else_it_is_sent_the_door_stays_open(tmp_path: Path, sent: bytes, status: bytes) -> None:
    async with door(tmp_path) as (_, url, session):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(sent)
        writer.write_eof()
        async with asyncio.timeout(10):
            assert (await reader.read())[9:12] == status
        writer.close()
        assert (await http.whole(session.get(f"{url}/health/live"))).status == 200

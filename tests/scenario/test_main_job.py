"""The main job, end to end on real parts: an event in, an incident out, somebody told, acknowledged."""

import hashlib
import hmac
import json

import aiohttp
from incidentmanager.v1 import incident_pb2

from llm_incident_client.client import IncidentClient
from tests.support.http import whole
from tests.support.receiver import LOOPBACK, a_receiver
from tests.support.server import running_server

SECRET = "shared-secret"


def config(url: str) -> str:
    """A webhook and the log."""
    channel = {"type": "webhook", "webhook_url": url, "secret": SECRET}
    return json.dumps({"notifications": {"channels": [channel, {"type": "log"}]}, **LOOPBACK})  # JSON is YAML


async def test_steps_one_to_eleven_from_the_source_system_to_the_responders_acknowledgement() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with a_receiver() as receiver, running_server(config=config(receiver.url)) as server:
        async with aiohttp.ClientSession(server.http) as http:
            # 1-2: POST /events, 202 Accepted.
            event = {"source": "llm-sentinel", "title": "Latency 7 s", "severity": "critical", "provider": "openai"}
            reply = await whole(http.post("/api/v1/events", json=event, headers={"traceparent": trace}))
            accepted = reply.json
            assert (reply.status, accepted["status"]) == (202, "accepted")
            # 3-8: queued, judged, created, routed, notified, sent.
            told = await receiver.take()
            assert told.body["event_type"] == "incident.opened"
            assert told.body["incident"]["id"] == accepted["incident_id"]
            assert told.headers["traceparent"].split("-")[1] == trace.split("-")[1]
            stamp, signature = (part.split("=", 1)[1] for part in told.headers["X-Incident-Signature"].split(","))
            signed = hmac.new(SECRET.encode(), f"{stamp}.".encode() + told.raw, hashlib.sha256).hexdigest()
            assert signature == signed
            kept = (await whole(http.get(f"/api/v1/events/{accepted['event_id']}"))).json
            assert kept["event"]["traceparent"].split("-")[1] == trace.split("-")[1]
            # 9: the responder looks at it.
            seen = (await whole(http.get(f"/api/v1/incidents/{accepted['incident_id']}"))).json
            assert (seen["state"], seen["severity"], seen["event_count"]) == ("NEW", "P0", 1)
            # 10-11: the responder acknowledges, the state is updated in the database.
            path = f"/api/v1/incidents/{seen['number']}/acknowledge"
            acknowledged = (await whole(http.post(path, json={"actor": "ann@example.com"}))).json
            assert (acknowledged["state"], acknowledged["id"]) == ("ACKNOWLEDGED", seen["id"])
            assert (await receiver.take()).body["event_type"] == "incident.acknowledged"
        await server.restart()
        async with IncidentClient(server.grpc) as client:
            stored = await client.get_incident(seen["number"])
            assert stored.state == incident_pb2.INCIDENT_STATE_ACKNOWLEDGED
            entries = await client.list_timeline(stored.id)
            told_kinds = [incident_pb2.TimelineKind.Name(entry.kind) for entry in entries.entries]
            assert "TIMELINE_KIND_NOTIFIED" in told_kinds
            assert any(entry.actor == "ann@example.com" for entry in entries.entries)


async def test_a_receiver_that_is_down_gets_the_same_message_later() -> None:
    text = {"max_attempts": 5, "base_delay_secs": 0.05}
    async with a_receiver() as receiver:
        settings = json.loads(config(receiver.url))
        settings["notifications"].update(text)
        receiver.answers = [503, 500]
        async with running_server(config=json.dumps(settings)) as server, aiohttp.ClientSession(server.http) as http:
            await whole(http.post("/api/v1/events", json={"source": "s", "title": "t", "severity": "P1"}))
            keys = {(await receiver.take()).headers["Idempotency-Key"] for _ in range(3)}
            assert len(keys) == 1
            assert receiver.received.empty()


async def test_explain_tells_the_whole_way_of_an_event() -> None:
    async with (
        a_receiver() as receiver,
        running_server(config=config(receiver.url)) as server,
        aiohttp.ClientSession(server.http) as http,
    ):
        event = {
            "source": "shield",
            "title": "Tool ran",
            "kind": "prompt_injection.direct",
            "attributes": {"tool_executed": True},
        }
        accepted = (await whole(http.post("/api/v1/events", json=event))).json
        await receiver.take()
        told = (await whole(http.get(f"/api/v1/events/{accepted['event_id']}/explain"))).json
        assert told["severity"]["severity"] == "P1"
        assert told["severity"]["decided_by"] == "attribute"
        assert told["event"]["disposition"] == "NEW"
        assert told["event"]["event"]["attributes"] == {"tool_executed": True}
        assert told["incident_number"].startswith("INC-")
        assert {part["name"] for part in told["fingerprint"]["components"]} >= {"source", "kind", "title"}

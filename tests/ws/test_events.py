"""Events over a WebSocket: acknowledged one by one after their commit, in order, with what became of each."""

import asyncio

import aiohttp
import pytest

from tests.support.callers import over_http
from tests.support.server import RunningServer
from tests.support.sockets import EVENT, Talk, address, talking

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_first_message_says_what_the_connection_may_do(server: RunningServer) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(address(server)) as connection:
        first = await connection.receive_json(timeout=10)
    assert first["type"] == "connection_ack"
    assert first["session_id"]
    assert first["protocol_version"] == "1.0"
    assert set(first["features"]) == {"batching", "filtering", "resume"}
    assert (first["heartbeat_secs"], first["timeout_secs"]) == (30, 60)
    assert (first["max_frame_bytes"], first["max_batch_events"]) == (262_144, 1_000)


@pytest.mark.parametrize("path", ["/ws", "/ws/events"])
async def test_an_event_opens_an_incident_that_rest_shows(server: RunningServer, path: str) -> None:
    async with talking(server, path=path) as talk:
        ack = await talk.report(id="e1", dedup_key=f"opens {path}")
    assert (ack["id"], ack["disposition"], ack["status"]) == ("e1", "NEW", "accepted")
    incident = (await over_http(server, f"/api/v1/incidents/{ack['incident_id']}")).json
    assert incident["title"] == EVENT["title"]
    event = (await over_http(server, f"/api/v1/events/{ack['event_id']}")).json
    assert event["event"]["source"] == EVENT["source"]


async def test_an_event_may_also_stand_below_its_name(server: RunningServer) -> None:
    async with talking(server) as talk:
        ack = await talk.ask({"type": "event", "id": 7, "event": {**EVENT, "dedup_key": "below"}}, "ack", "error")
    assert (ack["type"], ack["id"], ack["disposition"]) == ("ack", 7, "NEW")


async def test_a_repeat_is_a_duplicate_and_another_event_of_the_problem_attaches(server: RunningServer) -> None:
    async with talking(server) as talk:
        first = await talk.report(dedup_key="repeat", idempotency_key="one")
        again = await talk.report(dedup_key="repeat", idempotency_key="one")
        other = await talk.report(dedup_key="repeat", idempotency_key="two")
    assert (again["disposition"], again["status"]) == ("DUPLICATE", "duplicate")
    assert again["event_id"] == first["event_id"] != other["event_id"]
    assert (other["disposition"], other["incident_id"]) == ("ATTACHED", first["incident_id"])


async def test_a_batch_is_one_acknowledgement_with_a_result_for_each_event(server: RunningServer) -> None:
    events = [{**EVENT, "dedup_key": "batch"}, {"source": "no title"}, {**EVENT, "dedup_key": "batch"}]
    async with talking(server) as talk:
        ack = await talk.ask({"type": "batch", "id": "b", "events": events}, "ack", "error")
    assert (ack["id"], ack["accepted"], ack["rejected"]) == ("b", 2, 1)
    assert [one["disposition"] for one in ack["results"]] == ["NEW", "REJECTED", "ATTACHED"]
    assert ack["results"][1]["violations"][0]["field"] == "title"
    assert ack["results"][1]["event_id"] == ""


async def test_a_single_event_that_breaks_a_rule_is_an_error_that_names_the_field(server: RunningServer) -> None:
    async with talking(server) as talk:
        refused = await talk.ask({"type": "event", "id": "bad", "source": "x"}, "ack", "error")
        assert (await talk.report(dedup_key="lives on"))["type"] == "ack"
    assert (refused["type"], refused["id"]) == ("error", "bad")
    assert (refused["code"], refused["reason"]) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert "title" in refused["message"]
    assert refused["details"][1]["field_violations"][0]["field"] == "title"


async def test_events_sent_at_once_are_decided_in_their_order_whatever_their_urgency(server: RunningServer) -> None:
    steps = [("TRIGGER", "warning"), ("RESOLVE", ""), ("TRIGGER", "critical"), ("RESOLVE", ""), ("TRIGGER", "info")]
    problems = [f"in order {number}" for number in range(20)]
    async with talking(server) as talk:
        for key in problems:
            for action, severity in steps:
                await talk.send({"type": "event", **EVENT, "action": action, "severity": severity, "dedup_key": key})
        acks = [await talk.hear("ack", "error") for _ in range(len(problems) * len(steps))]
    assert [ack["disposition"] for ack in acks] == ["NEW", "APPLIED", "NEW", "APPLIED", "NEW"] * len(problems)


async def test_many_events_at_once_are_all_acknowledged_in_order(server: RunningServer) -> None:
    async with talking(server) as talk:
        sending = asyncio.create_task(_many(talk, 2_000))
        acks = [await talk.hear("ack", "error", seconds=30) for _ in range(2_000)]
        await sending
    assert [ack["id"] for ack in acks] == list(range(2_000))
    assert {ack["type"] for ack in acks} == {"ack"}
    assert len({ack["event_id"] for ack in acks}) == 2_000


async def _many(talk: Talk, count: int) -> None:
    for number in range(count):
        await talk.send({"type": "event", "id": number, **EVENT, "dedup_key": "many"})


async def test_secrets_are_hidden_before_anything_is_stored(server: RunningServer) -> None:
    secret = "sk-" + "A1b2C3d4" * 6
    async with talking(server) as talk:
        ack = await talk.report(dedup_key="secret", description=f"the key was {secret}")
    event = (await over_http(server, f"/api/v1/events/{ack['event_id']}")).text
    assert secret not in event
    assert secret not in server.log


async def test_what_is_acknowledged_survives_a_kill(server: RunningServer) -> None:
    async with talking(server) as talk:
        acks = [await talk.report(dedup_key=f"kept {number}") for number in range(20)]
        await server.kill()
    await server.start()
    for ack in acks:
        assert (await over_http(server, f"/api/v1/incidents/{ack['incident_id']}")).status == 200


async def test_messages_and_connections_are_counted(server: RunningServer) -> None:
    async with talking(server) as talk:
        await talk.report(dedup_key="counted")
        await talk.ask("{", "error")
        page = (await over_http(server, "/metrics")).text
    assert "incident_manager_websocket_connections 1.0" in page
    assert 'incident_manager_websocket_messages_total{direction="in",type="malformed"} 1.0' in page
    assert 'incident_manager_websocket_messages_total{direction="out",type="ack"} 1.0' in page
    assert 'transport="websocket"' in page


async def test_whoever_does_not_upgrade_is_told_what_to_do(server: RunningServer) -> None:
    reply = await over_http(server, "/ws")
    assert reply.status == 426
    assert "WebSocket" in reply.json["message"]


async def test_no_websocket_is_served_elsewhere(server: RunningServer) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(address(server, "/api/v1/incidents"))
    assert refused.value.status == 404

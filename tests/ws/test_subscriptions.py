"""Changes over a WebSocket: what WatchIncidents tells, several subscriptions on one connection, resumable."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed

from tests.support.callers import over_http
from tests.support.server import RunningServer, running_server
from tests.support.sockets import EVENT, Talk, talking, upgraded

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def report(server: RunningServer, key: str, **fields: object) -> str:
    """Opens an incident, or adds to it; its id."""
    reply = await over_http(server, "/api/v1/events", json={**EVENT, "dedup_key": key, **fields})
    assert reply.status == 202, reply.text
    return str(reply.json["incident_id"])


async def test_a_subscriber_is_told_of_a_change_with_the_token_to_go_on_from(server: RunningServer) -> None:
    async with talking(server) as talk:
        begun = await talk.subscribe("all", id="q")
        assert (begun["type"], begun["id"], begun["subscription_id"]) == ("subscribed", "q", "all")
        incident = await report(server, "told", source="told")
        change = await talk.hear("change")
        assert (change["subscription_id"], change["kind"]) == ("all", "OPENED")
        assert change["incident"]["id"] == incident
        assert change["resume_token"] not in ("", begun["resume_token"])
        await over_http(server, f"/api/v1/incidents/{incident}/acknowledge", json={"actor": "ann"})
        change = await talk.hear("change")
        assert (change["kind"], change["incident"]["state"]) == ("STATE", "ACKNOWLEDGED")


async def test_changes_are_the_same_as_over_http(server: RunningServer) -> None:
    async with talking(server) as talk:
        begun = await talk.subscribe("same")
        incident = await report(server, "the same over http")
        change = await talk.hear("change")
    token = begun["resume_token"]
    events = await _first_change(server, f"/api/v1/incidents/watch?resume_token={token}")
    assert events["incident"]["id"] == incident == change["incident"]["id"]
    assert events["resume_token"] == change["resume_token"]
    assert {**change["incident"], "age": 0} == {**events["incident"], "age": 0}


async def _first_change(server: RunningServer, path: str) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    try:
        async with asyncio.timeout(10):
            while True:
                line = await reader.readline()
                if line.startswith(b'{"result"') and b'"incident":{' in line:
                    found: dict[str, Any] = json.loads(line)["result"]
                    return found
    finally:
        writer.close()


FILTERS: dict[str, dict[str, Any]] = {
    "severities": {"filters": {"severities": ["critical", "P1"]}},
    "states": {"filters": {"states": ["NEW"], "severities": ["P0"]}},
    "sources": {"filters": {"sources": ['the "wanted" * one']}},
    "resources": {"filters": {"affected_resources": ["chat-wanted"]}},
    "labels": {"filters": {"labels": {"region.of": "wanted"}}},
    "a filter": {"filter": 'labels."region.of" = "wanted" AND severity >= P1'},
}


@pytest.mark.parametrize("asked", FILTERS.values(), ids=FILTERS)
async def test_only_what_is_asked_for_is_told(server: RunningServer, asked: dict[str, Any]) -> None:
    name = json.dumps(asked)
    async with talking(server) as talk:
        assert (await talk.subscribe(**asked))["type"] == "subscribed"
        await report(server, f"other {name}", source="someone else")
        wanted = await report(
            server,
            f"wanted {name}",
            source='the "wanted" * one',
            severity="critical",
            service="chat-wanted",
            labels={"region.of": "wanted"},
        )
        assert (await talk.hear("change"))["incident"]["id"] == wanted


async def test_only_kinds_of_changes_that_are_asked_for_are_told(server: RunningServer) -> None:
    async with talking(server) as talk:
        await talk.subscribe(filters={"event_types": ["incident_resolved", "NOTE"], "sources": ["kinds"]})
        incident = await report(server, "kinds", source="kinds")
        for verb, body in (
            ("acknowledge", {"actor": "ann"}),
            ("notes", {"actor": "ann", "text": "looking"}),
            ("resolve", {"resolved_by": "ann"}),
        ):
            reply = await over_http(server, f"/api/v1/incidents/{incident}/{verb}", json=body)
            assert reply.status in (200, 201), reply.text
        assert [(await talk.hear("change"))["kind"] for _ in range(2)] == ["NOTE", "STATE"]


async def test_a_snapshot_comes_before_what_changes(server: RunningServer) -> None:
    incident = await report(server, "snapshot", source="snapshot")
    async with talking(server) as talk:
        begun = await talk.subscribe(filter='source = "snapshot"', snapshot=True)
        first = await talk.hear("change")
        assert (first["kind"], first["incident"]["id"]) == ("SNAPSHOT", incident)
        assert first["resume_token"] == begun["resume_token"]
        await report(server, "snapshot 2", source="snapshot")
        assert (await talk.hear("change"))["kind"] == "OPENED"


async def test_several_subscriptions_share_a_connection_and_end_one_by_one(server: RunningServer) -> None:
    async with talking(server) as talk:
        for name in ("a", "b"):
            await talk.subscribe(name, filter=f'source = "several-{name}"')
        again = await talk.subscribe("a")
        assert (again["type"], again["reason"], again["subscription_id"]) == ("error", "ALREADY_EXISTS", "a")
        await report(server, "several a", source="several-a")
        await report(server, "several b", source="several-b")
        assert {(await talk.hear("change"))["subscription_id"] for _ in range(2)} == {"a", "b"}
        ended = await talk.ask({"type": "unsubscribe", "subscription_id": "a"}, "unsubscribed")
        assert ended["resume_token"]
        await report(server, "several a again", source="several-a")
        await report(server, "several b again", source="several-b")
        assert (await talk.hear("change"))["subscription_id"] == "b"
        assert (await talk.subscribe("a", filter='source = "several-a"', resume_token=ended["resume_token"]))["type"]
        assert (await talk.hear("change"))["incident"]["source"] == "several-a"


async def test_there_are_only_so_many_subscriptions_of_a_connection(server: RunningServer) -> None:
    async with talking(server) as talk:
        answers = [await talk.subscribe(str(number)) for number in range(17)]
    assert [answer["type"] for answer in answers] == ["subscribed"] * 16 + ["error"]
    assert answers[-1]["reason"] == "OVERLOADED"


async def test_whoever_comes_back_with_a_token_misses_nothing_and_hears_nothing_twice(server: RunningServer) -> None:
    incidents = [await report(server, f"resumed {number}", source="resumed") for number in range(3)]
    async with talking(server) as talk:
        begun = await talk.subscribe(filter='source = "resumed"', snapshot=True)
        incidents += [await report(server, f"resumed {number}", source="resumed") for number in range(3, 6)]
        told = [await talk.hear("change") for _ in range(5)]
    incidents.append(await report(server, "resumed 6", source="resumed"))
    async with talking(server) as talk:
        await talk.subscribe(filter='source = "resumed"', resume_token=told[-1]["resume_token"])
        told += [await talk.hear("change") for _ in range(2)]
    assert [change["incident"]["id"] for change in told] == incidents
    assert begun["resume_token"] == told[0]["resume_token"]


HASTY = {"LLM_IM__WEBSOCKET__HEARTBEAT_SECS": "0.3", "LLM_IM__WEBSOCKET__TIMEOUT_SECS": "1.5"}


async def test_heartbeats_tell_how_far_each_subscription_came_and_who_is_not_heard_is_cut_off() -> None:
    async with running_server(env=HASTY) as server, talking(server) as talk:
        reader, writer = await upgraded(server)  # answers nothing, not even a ping
        begun = await talk.subscribe("s")
        assert (await talk.hear("heartbeat"))["subscriptions"] == {"s": begun["resume_token"]}
        await report(server, "beat")
        change = await talk.hear("change")
        async with asyncio.timeout(10):
            while (await talk.hear("heartbeat"))["subscriptions"]["s"] != change["resume_token"]:
                pass
            told = await reader.read()  # until the server ends it
        writer.close()
        assert b'"type":"closing"' in told
        assert b"SLOW_REQUEST" in told
        assert (await talk.ask({"type": "ping"}, "pong"))["type"] == "pong"
        assert 'websocket_closed_total{cause="silent"} 1.0' in (await over_http(server, "/metrics")).text


async def test_a_drain_answers_what_was_taken_and_says_where_to_go_on() -> None:
    async with running_server() as server, talking(server) as talk:
        await talk.subscribe("s")
        first = await report(server, "before the drain")
        await talk.hear("change")
        await talk.send(*[{"type": "event", "id": number, **EVENT, "dedup_key": "drained"} for number in range(50)])
        acks = [await talk.hear("ack")]
        ending = asyncio.create_task(server.terminate())
        goodbye, code = await _acks_until_the_end(talk, acks)
        assert await ending == 0
        assert code == 1001
        assert goodbye["reason"] == "DRAINING"
        await server.start()
        async with talking(server) as again:
            await again.subscribe("s", resume_token=goodbye["subscriptions"]["s"])
            later = await report(server, "after the drain")
            while (change := await again.hear("change"))["incident"]["id"] != later:
                assert change["incident"]["id"] != first
        count = (await over_http(server, f"/api/v1/incidents/{acks[0]['incident_id']}")).json["event_count"]
        assert count == len(acks)


async def _acks_until_the_end(talk: Talk, acks: list[dict[str, Any]]) -> tuple[dict[str, Any], int]:
    """Gathers acknowledgements until the goodbye; that, and the close code."""
    while (message := await talk.hear("ack", "closing"))["type"] == "ack":
        acks.append(message)
    _, code = await talk.end()
    return message, code


SLOW = {"LLM_IM__WATCH__SLOW_AFTER_SECS": "1", "LLM_IM__WEBSOCKET__BUFFER_BYTES": "4096"}


async def test_a_client_that_takes_nothing_is_cut_off_and_resumes_without_gap_or_repeat() -> None:
    async with running_server(env=SLOW) as server:
        async with talking(server, max_queue=1, ping_interval=None) as talk:
            await talk.subscribe("s")
            talk.connection.transport.pause_reading()
            expected = await many(server)
            async with asyncio.timeout(20):
                while 'closed_total{cause="slow"}' not in (await over_http(server, "/metrics")).text:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            talk.connection.transport.resume_reading()
            told = await _heard_still(talk)
        assert 0 < len(told) < len(expected)
        async with talking(server) as talk:
            await talk.subscribe("s", resume_token=told[-1]["resume_token"])
            while len(told) < len(expected):
                told.append(await talk.hear("change"))
        assert [change["incident"]["id"] for change in told] == expected

        async with talking(server, max_queue=1, ping_interval=None) as talk:  # one that reads on just then hears why
            await talk.subscribe("s")
            talk.connection.transport.pause_reading()
            await many(server)
            asyncio.get_running_loop().call_later(1.5, talk.connection.transport.resume_reading)
            told = []
            while (message := await talk.hear("change", "closing"))["type"] == "change":
                told.append(message)
            assert message["reason"] == "SLOW_SUBSCRIBER"
            assert message["subscriptions"]["s"] == told[-1]["resume_token"]
            assert (await talk.end())[1] == 1013


async def many(server: RunningServer) -> list[str]:
    """Opens more incidents than fit into what the system holds for a client; their ids."""
    opened: list[str] = []
    async with talking(server) as producer:
        for _ in range(8):
            events = [{**EVENT, "description": "d" * 15_000, "dedup_key": str(uuid4())} for _ in range(15)]
            ack = await producer.ask({"type": "batch", "events": events}, "ack", "error")
            opened += [result["incident_id"] for result in ack["results"]]
    return opened


async def _heard_still(talk: Talk) -> list[dict[str, Any]]:
    """All changes that a connection which was cut off still has."""
    told = []
    try:
        while (message := await talk.hear())["type"] != "closing":
            told += [message] if message["type"] == "change" else []
    except ConnectionClosed:
        return told
    return told

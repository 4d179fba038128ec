"""What is no message of the protocol is answered with an error that bears its id, and the connection lives."""

import asyncio
import json
from typing import Any

import pytest

from tests.support.server import RunningServer
from tests.support.sockets import EVENT, Message, talking, upgraded

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEEP = json.dumps({"type": "event", "id": "deep", **EVENT, "labels": None}).replace("null", "[" * 40 + "]" * 40)
WIDE = {"type": "event", "id": "wide", **EVENT, "labels": {f"k{n}": "v" for n in range(65)}}
TWICE = '{"type": "ping", "id": "twice", "id": "twice"}'

BAD: dict[str, tuple[Any, str, Any]] = {
    "no JSON": ("{", "MALFORMED_MESSAGE", None),
    "nothing": ("", "MALFORMED_MESSAGE", None),
    "no object": ("[1]", "MALFORMED_MESSAGE", None),
    "a key given twice": (TWICE, "MALFORMED_MESSAGE", None),
    "binary": (b'{"type": "ping"}', "MALFORMED_MESSAGE", None),
    "nested too deeply": (DEEP, "MALFORMED_MESSAGE", None),
    "no type": ({"id": "x"}, "INVALID_FIELD", "x"),
    "an unknown type": ({"type": "evnt", "id": "x"}, "INVALID_FIELD", "x"),
    "a type that is no text": ({"type": ["event"], "id": 5}, "INVALID_FIELD", 5),
    "an id that is none": ({"type": "ping", "id": {}}, "INVALID_FIELD", None),
    "an id that is too long": ({"type": "ping", "id": "x" * 129}, "INVALID_FIELD", None),
    "an unknown field": ({"type": "event", "id": "x", **EVENT, "titel": "y"}, "INVALID_FIELD", "x"),
    "a field of the wrong type": ({"type": "event", "id": "x", **EVENT, "title": 5}, "INVALID_FIELD", "x"),
    "a broken rule": (WIDE, "INVALID_FIELD", "wide"),
    "an event that is none": ({"type": "event", "id": "x", "event": []}, "INVALID_FIELD", "x"),
    "fields beside the event": ({"type": "event", "id": "x", "event": EVENT, "title": "y"}, "INVALID_FIELD", "x"),
    "a batch without events": ({"type": "batch", "id": "x"}, "INVALID_FIELD", "x"),
    "an empty batch": ({"type": "batch", "id": "x", "events": []}, "INVALID_FIELD", "x"),
    "a batch of no list": ({"type": "batch", "id": "x", "events": {}}, "INVALID_FIELD", "x"),
    "too many events": ({"type": "batch", "id": "x", "events": [{}] * 1_001}, "INVALID_FIELD", "x"),
    "a subscription without id": ({"type": "subscribe", "id": "x"}, "INVALID_FIELD", "x"),
    "the end of none": ({"type": "unsubscribe", "id": "x", "subscription_id": "none"}, "NOT_FOUND", "x"),
    "a filter that is none": (
        {"type": "subscribe", "id": "x", "subscription_id": "s", "filter": "sevrity = P1"},
        "INVALID_FILTER",
        "x",
    ),
    "a resume token that is none": (
        {"type": "subscribe", "id": "x", "subscription_id": "s", "resume_token": "nonsense"},
        "INVALID_RESUME_TOKEN",
        "x",
    ),
    "a resume token and a snapshot": (
        {"type": "subscribe", "id": "x", "subscription_id": "s", "resume_token": "AQ", "snapshot": True},
        "INVALID_FIELD",
        "x",
    ),
    "filter and filters": (
        {"type": "subscribe", "id": "x", "subscription_id": "s", "filter": "kind = a", "filters": {"sources": ["b"]}},
        "INVALID_FIELD",
        "x",
    ),
    "unknown filters": (
        {"type": "subscribe", "id": "x", "subscription_id": "s", "filters": {"severity": ["P1"]}},
        "INVALID_FIELD",
        "x",
    ),
    "too large": ({"type": "event", "id": "x", **EVENT, "description": "d" * 300_000}, "TOO_LARGE", None),
}


@pytest.mark.parametrize(("message", "reason", "message_id"), BAD.values(), ids=BAD)
async def test_an_error_is_answered_and_the_connection_lives(
    server: RunningServer, message: Message | str | bytes, reason: str, message_id: object
) -> None:
    async with talking(server) as talk:
        refused = await talk.ask(message)
        assert (refused["type"], refused["reason"], refused.get("id")) == ("error", reason, message_id)
        assert refused["code"]
        assert refused["message"]
        assert (await talk.ask({"type": "ping", "id": "after"}))["type"] == "pong"


async def test_a_message_of_more_than_twice_the_limit_ends_the_connection(server: RunningServer) -> None:
    async with talking(server) as talk:
        await talk.send("x" * 600_000)
        assert (await talk.end())[1] == 1009


async def test_a_text_that_is_no_utf8_ends_the_connection(server: RunningServer) -> None:
    reader, writer = await upgraded(server)
    writer.write(bytes([0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28]))
    frame = await reader.read()
    assert frame[-30:].find(b"\x03\xef") >= 0  # 1007
    writer.close()


@pytest.mark.exclusive
async def test_thousands_of_tiny_frames_keep_nobody_waiting(server: RunningServer) -> None:
    """A flood of pings without payload, and of messages, in as few packets as may be."""
    flood = b"\x89\x80\0\0\0\0" * 20_000 + b"\x81\x82\0\0\0\0{}" * 2_000
    _, writer = await upgraded(server)
    loop = asyncio.get_running_loop()
    async with talking(server) as other:
        writer.write(flood)
        longest = 0.0
        for number in range(50):
            began = loop.time()
            await other.ask({"type": "ping", "id": number}, "pong")
            longest = max(longest, loop.time() - began)
    writer.close()
    assert longest < 0.5


async def test_a_client_that_goes_in_the_middle_of_a_message_leaves_nothing_behind(server: RunningServer) -> None:
    for _ in range(20):
        _, writer = await upgraded(server)
        writer.write(b"\x81\xfe\x10\x00\0\0\0\0half")
        writer.transport.abort()
    async with talking(server) as talk:
        assert (await talk.ask({"type": "ping"}))["type"] == "pong"
    assert "Traceback" not in server.log


GREETINGS = {
    "without a key": "Sec-WebSocket-Version: 13",
    "with a key that is none": "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x",
    "in a version that is not spoken": "Sec-WebSocket-Version: 7\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "with nonsense in place of a protocol": "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
    "dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: (((",
    "with a body": "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 3",
}
BROKEN = {
    "not masked": (b"\x81\x02{}", 1002),
    "of an unknown kind": (b"\x83\x80\0\0\0\0", 1002),
    "with bits that mean nothing": (b"\xf1\x80\0\0\0\0", 1002),
    "a continuation of nothing": (b"\x80\x80\0\0\0\0", 1002),
    "a control frame in pieces": (b"\x09\x80\0\0\0\0", 1002),
    "of four exabytes": (b"\x81\xff\x3f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 1009),
    "a close code that is none": (b"\x88\x82\0\0\0\0\0\x01", 1002),
}


@pytest.mark.parametrize("greeting", GREETINGS.values(), ids=GREETINGS)
async def test_a_greeting_that_is_none_gets_a_plain_answer(server: RunningServer, greeting: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    host = f"Host: 127.0.0.1:{server.http_port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    writer.write(f"GET /ws HTTP/1.1\r\n{host}{greeting}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    assert answer.split()[1] in (b"101", b"400", b"426")
    assert "Traceback" not in server.log


@pytest.mark.parametrize(("frame", "code"), BROKEN.values(), ids=BROKEN)
async def test_a_frame_that_breaks_the_protocol_ends_the_connection(
    server: RunningServer, frame: bytes, code: int
) -> None:
    reader, writer = await upgraded(server)
    writer.write(frame)
    told = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert told[told.rindex(b"\x88") + 2 :][:2] == code.to_bytes(2, "big")
    assert "Traceback" not in server.log

"""Bad input is refused with its reason, before it costs anything, and never spoils what is good."""

import asyncio
import gzip
import io
from pathlib import Path

import aiohttp
import grpc
import pytest
from grpc.aio import UnaryUnaryMultiCallable
from incidentmanager.v1 import event_pb2, ingest_service_pb2

from tests.support.http import whole
from tests.support.server import RunningServer, running_server

SUBMIT = "/incidentmanager.v1.IngestService/SubmitEvent"


async def submit(server: RunningServer, data: bytes, compression: grpc.Compression | None = None) -> str:
    """The code of a raw SubmitEvent."""
    options = [("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(server.grpc, options=options) as channel:
        call: UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(SUBMIT, None, None)
        try:
            await call(data, timeout=20, compression=compression)
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return "OK"


def resident(server: RunningServer) -> int:
    """Memory of the server in bytes."""
    assert server.process is not None
    return int(Path(f"/proc/{server.process.pid}/statm").read_text("ascii").split()[1]) * 4096


async def test_oversized_messages_and_bombs_are_refused_before_they_are_held() -> None:
    async with running_server() as server:
        before = resident(server)
        huge = ingest_service_pb2.SubmitEventRequest(
            event=event_pb2.Event(source="s", title="t", description="x" * 64_000_000)
        ).SerializeToString()
        assert await submit(server, huge[:5_000_000]) == "RESOURCE_EXHAUSTED"
        assert await submit(server, huge, grpc.Compression.Gzip) == "RESOURCE_EXHAUSTED"
        async with aiohttp.ClientSession(server.http) as http:
            reply = await whole(http.post("/api/v1/events", data=io.BytesIO(b"x" * 8_000_000)))
            assert reply.status == 413
            bomb = gzip.compress(b" " * 50_000_000)
            reply = await whole(http.post("/api/v1/events", data=bomb, headers={"Content-Encoding": "gzip"}))
            assert (reply.status, reply.json["code"]) == (400, 3)
            nested = b'{"labels":' * 2_000 + b"1" + b"}" * 2_000
            assert (await whole(http.post("/api/v1/events", data=nested))).status == 400
        assert resident(server) - before < 64 * 1024 * 1024
        assert await submit(server, b"") == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("path", "body", "status", "reason", "field"),
    [
        ("/api/v1/events", '{"title": "t"}', 400, "INVALID_FIELD", "event.source"),
        ("/api/v1/events", '{"source": "s"}', 400, "INVALID_FIELD", "event.title"),
        ("/api/v1/events", '{"source": "s", "title": "t", "colour": 1}', 400, "INVALID_FIELD", "event.colour"),
        ("/api/v1/events", '{"source": "s", "title": "a\\u0000b"}', 400, "INVALID_FIELD", "event.title"),
        ("/api/v1/events", '{"source": "s", ', 400, "MALFORMED_MESSAGE", None),
        ("/api/v1/incidents", '{"source": "s", "title": "t", "severity": "P9"}', 400, "INVALID_FIELD", "severity"),
        ("/api/v1/nowhere", "{}", 404, "NO_ROUTE", None),
        ("/api/v1/incidents/INC-20200101-00001/acknowledge", "{}", 404, "NOT_FOUND", None),
        ("/api/v1/incidents/x/snooze", "{}", 400, "INVALID_FIELD", "until"),
        ("/api/v1/incidents/x/snooze", '{"until": "1969-12-31T00:00:00Z"}', 400, "INVALID_FIELD", "until"),
        ("/api/v1/incidents/x/snooze", '{"until": "2099-01-01T00:00:00Z"}', 404, "NOT_FOUND", None),
    ],
)
async def test_refusals_name_reason_and_field(
    path: str, body: str, status: int, reason: str, field: str | None
) -> None:
    async with running_server() as server, aiohttp.ClientSession(server.http) as http:
        reply = await whole(http.post(path, data=body))
        told = reply.json
        info = next(detail for detail in told["details"] if detail["@type"].endswith("ErrorInfo"))
        assert (reply.status, info["reason"]) == (status, reason)
        if field is not None:
            assert info["metadata"]["field"] == field
            assert field.rpartition(".")[2] in told["message"]


async def test_all_bad_fields_are_named_at_once() -> None:
    async with running_server() as server, aiohttp.ClientSession(server.http) as http:
        body = {"source": "", "title": "x" * 501, "input_tokens": -1, "traceparent": "nope", "cost_usd": -2}
        told = (await whole(http.post("/api/v1/events", json=body))).json
        request = next(detail for detail in told["details"] if detail["@type"].endswith("BadRequest"))
        fields = {violation["field"] for violation in request["field_violations"]}
        assert fields == {f"event.{name}" for name in body}


async def test_a_wrong_http_verb_is_told_the_right_one() -> None:
    async with running_server() as server, aiohttp.ClientSession(server.http) as http:
        reply = await whole(http.delete("/api/v1/incidents"))
        assert reply.status == 405
        assert "GET" in reply.json["message"]


async def test_a_slow_client_is_cut_off_and_others_are_served() -> None:
    async with running_server(config="api: {request_timeout_secs: 1}") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
        writer.write(b"POST /api/v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        await writer.drain()
        async with aiohttp.ClientSession(server.http) as http:
            assert (await whole(http.get("/health/live"))).status == 200
        async with asyncio.timeout(10):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408")
        writer.close()


@pytest.mark.parametrize("taken", ["data", "grpc", "http"])
async def test_a_second_server_on_the_same_data_or_port_refuses_with_the_reason(taken: str) -> None:
    async with running_server() as first, running_server() as second:
        await second.terminate()
        env = {
            "DATABASE_URL": f"sqlite:///{first.data if taken == 'data' else second.data}",
            "GRPC_PORT": str(first.grpc_port if taken == "grpc" else second.grpc_port),
            "API_PORT": str(first.http_port if taken == "http" else second.http_port),
        }
        second.env = env
        with pytest.raises(RuntimeError, match="ended with 1") as refused:
            await asyncio.wait_for(second.start(), 20)
        words = {"data": "in use by process", "grpc": "GRPC_PORT", "http": "API_PORT"}
        assert words[taken] in str(refused.value)
        async with aiohttp.ClientSession(first.http) as http:
            assert (await whole(http.get("/health/ready"))).status == 200


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("storrage: {type: memory}", ["storrage", "storage"]),
        ("deduplication: {window_secs: soon}", ["deduplication.window_secs", "soon"]),
        ("notifications: {channels: [{type: pagerduty, enabled: true}]}", ["pagerduty", "enabled: false"]),
        ("api: {host: 0.0.0.0}", ["api.host", "ALLOW_ANONYMOUS"]),
    ],
)
async def test_bad_configuration_stops_the_start_with_key_value_and_remedy(config: str, words: list[str]) -> None:
    with pytest.raises(RuntimeError) as refused:
        async with running_server(config=config):
            raise AssertionError("it started")
    assert all(word in str(refused.value) for word in words), refused.value
    assert "Traceback" not in str(refused.value)

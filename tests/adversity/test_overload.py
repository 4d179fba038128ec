"""Too much for the server: who is refused hears when to come back; who takes nothing is cut off; others are served."""

import asyncio
import contextlib
import json
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import aiohttp
import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from incidentmanager.v1 import event_pb2, incident_service_pb2, ingest_service_pb2
from incidentmanager.v1 import incident_service_pb2_grpc as incidents_grpc
from incidentmanager.v1 import ingest_service_pb2_grpc as ingest_grpc

from llm_incident_manager.transport.rest.server import LAST_WORDS_SECONDS
from tests.support.http import whole
from tests.support.server import RunningServer, running_server

SLOW_SECONDS = 1
PATIENCE = 40.0


async def flood(server: RunningServer, name: str, batches: int) -> None:
    """New incidents with long descriptions, 50 a batch."""
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        for batch in range(batches):
            events = [
                event_pb2.Event(source="s", title="x", dedup_key=f"{name}-{batch}-{at}", description="y" * 8_000)
                for at in range(50)
            ]
            await ingest_grpc.IngestServiceStub(channel).SubmitEvents(
                ingest_service_pb2.SubmitEventsRequest(events=events)
            )


async def test_an_http_subscriber_that_takes_nothing_is_cut_off_and_resumes_where_it_was() -> None:
    async with running_server(config=f"watch: {{slow_after_secs: {SLOW_SECONDS}}}") as server:
        stuck = socket.create_connection(("127.0.0.1", server.http_port))
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stuck.sendall(b"GET /api/v1/incidents/watch HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n")
        await asyncio.sleep(0.3)
        await flood(server, "a", 40)
        began = time.monotonic()
        async with aiohttp.ClientSession(server.http) as http, asyncio.timeout(PATIENCE):
            cut = 'code="RESOURCE_EXHAUSTED",method="WatchIncidents"'
            while cut not in (await whole(http.get("/metrics"))).text:  # noqa: ASYNC110 - another process counts
                await asyncio.sleep(0.1)
        assert time.monotonic() - began < SLOW_SECONDS + 5
        await asyncio.sleep(LAST_WORDS_SECONDS + 1)
        got = await asyncio.to_thread(_rest, stuck)
        stuck.close()
        tokens = re.findall(rb"\r\nid: (\S+)\n|\nid: (\S+)\n", got)
        assert tokens
        async with aiohttp.ClientSession(server.http) as http, asyncio.timeout(PATIENCE):
            token = (tokens[-1][0] or tokens[-1][1]).decode()
            resumed = http.get("/api/v1/incidents/watch", params={"resume_token": token})
            async with resumed as reply:
                assert reply.status == 200
                assert b'"incident"' in await reply.content.readline() + await reply.content.readline()


def _rest(stuck: socket.socket) -> bytes:
    """What the system still had for a connection that was cut."""
    stuck.settimeout(10)
    got = b""
    with contextlib.suppress(ConnectionResetError):
        while part := stuck.recv(65_536):
            got += part
    return got


async def test_one_subscriber_more_than_there_may_be_is_told_when_to_come_back() -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(config="watch: {max_subscribers: 1}"))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(server.grpc))
        stub = incidents_grpc.IncidentServiceStub(channel)
        first = stub.WatchIncidents(incident_service_pb2.WatchIncidentsRequest())
        await first.read()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.StreamIncidents(incident_service_pb2.StreamIncidentsRequest()).read()
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        details = dict(refused.value.trailing_metadata() or ())["grpc-status-details-bin"]
        assert isinstance(details, bytes)
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        told = status_pb2.Status.FromString(details).details
        assert told[0].Unpack(info)
        assert told[1].Unpack(retry)
        assert (info.reason, info.metadata["cause"]) == ("OVERLOADED", "subscribers")
        assert retry.retry_delay.seconds >= 10
        first.cancel()


@pytest.mark.parametrize("over", ["gRPC", "HTTP"])
async def test_subscribers_beyond_the_memory_for_them_are_refused_until_others_have_left(over: str) -> None:
    places = 22 * 1024 // 128  # what 64 MiB leave beside the changes that all share
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(running_server(config="watch: {buffer_bytes: 67108864}"))
        watch = partial(_watch_grpc if over == "gRPC" else _watch_http, server)
        for _ in range(2):
            async with AsyncExitStack() as watches:
                for _ in range(places):
                    assert await watches.enter_async_context(watch()) == ""
                assert await watches.enter_async_context(watch()) == "sending"
            async with asyncio.timeout(PATIENCE):
                while await _subscribers(server):  # noqa: ASYNC110 - another process counts
                    await asyncio.sleep(0.05)


@asynccontextmanager
async def _watch_grpc(server: RunningServer) -> AsyncIterator[str]:
    """While somebody watches; what was full, if it is refused."""
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        call = incidents_grpc.IncidentServiceStub(channel).WatchIncidents(incident_service_pb2.WatchIncidentsRequest())
        try:
            await call.read()
        except grpc.aio.AioRpcError as error:
            details = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
            assert isinstance(details, bytes)
            info = error_details_pb2.ErrorInfo()
            assert status_pb2.Status.FromString(details).details[0].Unpack(info)
            yield info.metadata["cause"]
        else:
            yield ""
        call.cancel()


@asynccontextmanager
async def _watch_http(server: RunningServer) -> AsyncIterator[str]:
    """As `_watch_grpc`."""
    async with aiohttp.ClientSession(server.http) as http, http.get("/api/v1/incidents/watch") as reply:
        if reply.status == 200:
            await reply.content.readline()
            yield ""
        else:
            assert reply.headers["Retry-After"]
            yield (await reply.json())["details"][0]["metadata"]["cause"]


async def _subscribers(server: RunningServer) -> int:
    async with aiohttp.ClientSession(server.http) as http:
        text = (await whole(http.get("/metrics"))).text
    found = re.search(r'incident_manager_streams_active\{method="WatchIncidents"\} ([\d.]+)', text)
    return int(float(found[1])) if found else 0


async def test_a_full_server_refuses_batches_unread_and_still_takes_those_with_p0_in_them() -> None:
    config = "ingest: {buffer_events: 40, stream_credits: 10, max_frame_events: 10, batch_events: 10, linger_ms: 1000}"
    async with running_server(config=config) as server, grpc.aio.insecure_channel(server.grpc) as channel:
        submit = ingest_grpc.IngestServiceStub(channel).SubmitEvents

        def batch(name: str, *severities: str) -> asyncio.Task[ingest_service_pb2.SubmitEventsResponse | BaseException]:
            events = [
                event_pb2.Event(source="s", title="x", severity=word, dedup_key=f"{name}-{at}")
                for at, word in enumerate(severities)
            ]
            return asyncio.ensure_future(submit(ingest_service_pb2.SubmitEventsRequest(events=events)))

        calm = [batch(f"calm-{at}", *["P3"] * 8) for at in range(30)]
        urgent = [batch(f"urgent-{at}", "P3", "P0") for at in range(2)]
        replies = await asyncio.gather(*calm, *urgent, return_exceptions=True)
    refused = [reply for reply in replies[:30] if isinstance(reply, grpc.aio.AioRpcError)]
    assert refused
    assert {error.code() for error in refused} == {grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert [getattr(reply, "accepted", reply) for reply in replies[30:]] == [2, 2]


async def test_a_full_server_refuses_over_http_with_retry_after_and_still_takes_p0() -> None:
    config = "ingest: {buffer_events: 40, stream_credits: 10, max_frame_events: 10, batch_events: 10, linger_ms: 1000}"
    async with running_server(config=config) as server, aiohttp.ClientSession(server.http) as http:
        events = [{"source": "s", "title": "x", "severity": "P3", "dedup_key": f"k{at}"} for at in range(8)]
        batches = [whole(http.post("/api/v1/events/batch", json={"events": events})) for _ in range(30)]
        urgent = [
            whole(http.post("/api/v1/events", data=json.dumps({"source": "s", "title": "fire", "severity": "P0"})))
            for _ in range(4)
        ]
        replies = await asyncio.gather(*batches, *urgent)
    refused = [reply for reply in replies[:30] if reply.status == 429]
    assert refused
    for reply in refused:
        assert [each["retryDelay" if "retryDelay" in each else "retry_delay"] for each in reply.json["details"][1:]]
    assert [reply.status for reply in replies[30:]] == [202] * 4

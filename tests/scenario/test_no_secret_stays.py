"""Secrets in every shape, planted wherever a caller can write: none is found in the database, the log, an answer, the
metrics, a trace or a notification."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp import web
from incidentmanager.v1 import event_pb2

from llm_incident_client.client import IncidentClient
from tests.support.http import whole
from tests.support.receiver import a_receiver
from tests.support.secrets import CANARY, SHAPES
from tests.support.server import RunningServer, running_server

EVENTS = 10_000
OF_A_BATCH = 500


def events() -> Iterator[event_pb2.Event]:
    """One event after the other, each with a secret in every text it has."""
    for number, shape in enumerate(islice(cycle(SHAPES.values()), EVENTS)):
        yield event_pb2.Event(
            source="llm-sentinel",
            kind="provider_error",
            title=f"{number % 50}: {shape}",
            description=shape,
            service=f"svc-{number % 50}",
            idempotency_key=f"{number} {shape}",
            labels={"reason": shape, "team": "a"},
            attributes={shape[:60]: True},
        )


def found_in(folder: Path) -> list[str]:
    """Files below the folder that hold the canary."""
    return [str(file) for file in folder.rglob("*") if file.is_file() and CANARY.encode() in file.read_bytes()]


async def everything_an_operator_can_write(server: RunningServer, incident_id: str) -> list[str]:
    """Writes secrets through REST, good and bad; returns all answers."""
    answers = []
    async with aiohttp.ClientSession(server.http) as http:
        for shape in SHAPES.values():
            for path, body in (
                (f"/api/v1/incidents/{incident_id}/notes", {"text": shape, "author": shape}),
                (f"/api/v1/incidents/{incident_id}/acknowledge", {"actor": shape[:200], "request_id": shape[:100]}),
                ("/api/v1/events", {"source": shape, "title": shape, "severity": shape}),
                ("/api/v1/events", {shape: shape}),
                (f"/api/v1/{quote(shape, safe='')}", {}),
            ):
                headers = {"x-request-id": shape.replace("\n", " ")[:120]}
                async with http.post(path, json=body, headers=headers) as reply:
                    answers.append(f"{reply.headers} {await reply.text()}")
            filtered = await whole(http.get("/api/v1/incidents", params={"filter": f'title = "{shape}'}))
            answers.append(filtered.text)
        answers.append((await whole(http.get("/metrics"))).text)
    return answers


@asynccontextmanager
async def a_collector(spans: list[bytes]) -> AsyncIterator[str]:
    """The address of something that takes traces and keeps them."""

    async def take(request: web.Request) -> web.Response:
        spans.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    finally:
        await runner.cleanup()


async def submit_all(server: RunningServer) -> str:
    """Sends the events; returns the id of an incident."""
    every = list(events())
    async with IncidentClient(server.grpc) as client:
        for first in range(0, EVENTS, OF_A_BATCH):
            reply = await client.submit_events(every[first : first + OF_A_BATCH])
            assert CANARY not in str(reply)
            assert reply.accepted == OF_A_BATCH
        listed = await client.list_incidents(page_size=50)
    assert CANARY not in str(listed)
    return listed.incidents[0].id


async def test_no_secret_is_found_anywhere() -> None:
    spans: list[bytes] = []
    async with a_receiver() as receiver, a_collector(spans) as endpoint:
        config = {
            "notifications": {"channels": [{"type": "webhook", "webhook_url": receiver.url}, {"type": "log"}]},
            "traces": {"endpoint": endpoint},
            "log": {"level": "debug"},
        }
        async with running_server(config=json.dumps(config)) as server:
            incident_id = await submit_all(server)
            answers = await everything_an_operator_can_write(server, incident_id)
            assert [text[:2000] for text in answers if CANARY in text][:3] == []
            assert CANARY.encode() not in (await receiver.take()).raw
            await server.terminate()
            assert CANARY not in server.log
            assert found_in(server.data) == []
    assert spans
    assert not any(CANARY.encode() in body for body in spans)
    while not receiver.received.empty():
        assert CANARY.encode() not in receiver.received.get_nowait().raw

"""Fault 51: secrets in every shape, planted wherever a caller can write, looked for wherever they could have gone."""

import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp import web
from incidentmanager.v1 import event_pb2

from chaos.registry import fault
from chaos.row import Figure, Outcome
from chaos.run import Run
from llm_incident_client.client import IncidentClient
from tests.support.receiver import Receiver, a_receiver
from tests.support.secrets import CANARY, NAMED, SHAPES
from tests.support.server import RunningServer, running_server

OF_A_BATCH = 500
PLACES = ("database", "log", "answers", "traces", "notifications")


@fault(51, "secrets in every text that a caller can write", limit="found nowhere")
async def secrets(run: Run) -> Outcome:
    """Plants them, and counts in how many files, lines, answers, spans and notifications one is found."""
    planted = run.size(10_000, 100_000)
    spans: list[bytes] = []
    async with a_receiver() as receiver, _a_collector(spans) as endpoint:
        channels = [{"type": "webhook", "webhook_url": receiver.url}, {"type": "log"}]
        config = {
            "notifications": {"channels": channels},
            "traces": {"endpoint": endpoint},
            "log": {"level": "debug"},
            "outbound": {"allow": ["127.0.0.0/8"]},
        }
        async with running_server(config=json.dumps(config)) as server:
            accepted, replies = await _submitted(server, planted)
            answers = [*replies, *await _by_operators(server)]
            told = [(await receiver.take()).raw]
            await server.terminate()
            log, files = server.log, _files(server.data)
        told += _rest(receiver)
    looked: dict[str, Sequence[str | bytes]] = {
        "database": files,
        "log": [log],
        "answers": answers,
        "traces": spans,
        "notifications": told,
    }
    figures = [Figure("shapes", len(SHAPES), least=30)]
    for place in PLACES:
        found = sum(_has_one(each) for each in looked[place])
        figures += [Figure(f"{place}: looked at", len(looked[place]), least=1), Figure("secrets", found, most=0)]
    return Outcome(figures, accepted)


def _has_one(text: str | bytes) -> bool:
    return CANARY in text if isinstance(text, str) else CANARY.encode() in text


def _events(count: int) -> Iterator[event_pb2.Event]:
    """One event after the other, each with a secret in every text it has."""
    for number, shape in enumerate(islice(cycle(SHAPES.values()), count)):
        yield event_pb2.Event(
            source="llm-sentinel",
            kind="provider_error",
            title=f"{number % 50}: {shape}",
            description=shape,
            service=f"svc-{number % 50}",
            idempotency_key=f"{number} {shape}",
            labels={"reason": shape, "team": "a", **NAMED},
            attributes={shape[:60]: True},
        )


async def _submitted(server: RunningServer, count: int) -> tuple[int, list[str]]:
    """How many events were accepted, and all answers."""
    events, accepted, replies = list(_events(count)), 0, []
    async with IncidentClient(server.grpc) as client:
        for first in range(0, count, OF_A_BATCH):
            reply = await client.submit_events(events[first : first + OF_A_BATCH])
            accepted += reply.accepted
            replies.append(str(reply))
        replies.append(str(await client.list_incidents(page_size=50)))
    return accepted, replies


async def _by_operators(server: RunningServer) -> list[str]:
    """Answers over REST to requests with secrets in bodies, paths, queries and headers, good ones and bad ones."""
    answers = []
    async with aiohttp.ClientSession(server.http) as http:
        async with http.get("/api/v1/incidents") as listed:
            incident = (await listed.json())["incidents"][0]["id"]
        for shape in SHAPES.values():
            headers = {"x-request-id": shape.replace("\n", " ")[:120]}
            for path, body in _requests(incident, shape):
                async with http.post(path, json=body, headers=headers) as reply:
                    answers.append(f"{reply.headers} {await reply.text()}")
            async with http.get("/api/v1/incidents", params={"filter": f'title = "{shape}'}) as reply:
                answers.append(await reply.text())
        async with http.get("/metrics") as reply:
            answers.append(await reply.text())
    return answers


def _requests(incident: str, shape: str) -> Iterator[tuple[str, object]]:
    yield f"/api/v1/incidents/{incident}/notes", {"text": shape, "actor": shape[:200]}
    yield f"/api/v1/incidents/{incident}/acknowledge", {"actor": shape[:200], "request_id": shape[:100]}
    yield "/api/v1/events", {"source": shape, "title": shape, "severity": shape}
    yield "/api/v1/events", {shape: shape}
    yield f"/api/v1/{quote(shape, safe='')}", {}


def _files(folder: Path) -> list[bytes]:
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


def _rest(receiver: Receiver) -> Iterator[bytes]:
    while not receiver.received.empty():
        yield receiver.received.get_nowait().raw


@asynccontextmanager
async def _a_collector(spans: list[bytes]) -> AsyncIterator[str]:
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

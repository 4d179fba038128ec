"""As `watching`, but each of the many watchers is a WebSocket, and the events come over one, too."""

import asyncio
import json
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any

import aiohttp

from bench import events
from bench.recorder import Recorder, Spec

_AT_ONCE = 50
"""Connections that are opened at the same time."""


def prepare(spec: Spec) -> list[tuple[str, str]]:
    """Titles, and messages that open incidents with them: of each group in turn."""
    return [_message(number, number % max(1, spec.groups)) for number in range(int(spec.rate * spec.lasts))]


def _message(number: int, group: int) -> tuple[str, str]:
    title = events.phrase(number)
    event = {"source": "llm-sentinel", "kind": "drift.quality", "severity": "warning", "title": title}
    return title, json.dumps({"type": "event", **event, "deployment": f"group-{group}"})


async def run(spec: Spec, requests: list[tuple[str, str]], recorder: Recorder) -> None:
    """Opens all watches, then sends one event after the other on its schedule, whoever waits for what."""
    sent: dict[str, float] = {}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http, AsyncExitStack() as stack:
        gate = asyncio.Semaphore(_AT_ONCE)
        watchers = [asyncio.create_task(_watch(spec, http, number, gate)) for number in range(spec.streams)]
        connections = await asyncio.gather(*watchers)
        for connection in connections:
            stack.push_async_callback(connection.close)
        tasks = [asyncio.create_task(_listen(connection, sent, recorder)) for connection in connections]
        producer = await stack.enter_async_context(_connected(spec, http))
        begin = max(perf_counter(), recorder.starts)
        for number, (title, message) in enumerate(requests):
            due = begin + number / spec.rate
            if due >= recorder.ends:
                break
            await asyncio.sleep(max(0.0, due - perf_counter()))
            sent[title] = perf_counter()
            recorder.sent += 1
            await producer.send_str(message)
            recorder.outcomes[(await _next(producer, "ack"))["status"]] += 1
        await asyncio.sleep(1.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _connected(spec: Spec, http: aiohttp.ClientSession) -> Any:  # noqa: ANN401  # aiohttp names its type in private
    return http.ws_connect(f"ws://{spec.address}/ws", compress=0)


async def _watch(
    spec: Spec, http: aiohttp.ClientSession, number: int, gate: asyncio.Semaphore
) -> aiohttp.ClientWebSocketResponse:
    """A connection with its subscription."""
    matching = f'deployment = "group-{number % spec.groups}"' if spec.groups else ""
    async with gate:
        connection: aiohttp.ClientWebSocketResponse = await _connected(spec, http)
        await connection.send_json({"type": "subscribe", "subscription_id": "s", "filter": matching})
        await _next(connection, "subscribed")
    return connection


async def _listen(connection: aiohttp.ClientWebSocketResponse, sent: dict[str, float], recorder: Recorder) -> None:
    while True:
        change = await _next(connection, "change")
        if (since := sent.get(change["incident"]["title"])) is not None:
            recorder.done(change["at"], [(since, 1)])


async def _next(connection: aiohttp.ClientWebSocketResponse, wanted: str) -> dict[str, Any]:
    """The next message of a type, and when it came."""
    while True:
        text = await connection.receive_str()
        at = perf_counter()
        message: dict[str, Any] = json.loads(text)
        if message["type"] == wanted:
            return {**message, "at": at}

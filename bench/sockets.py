"""Sends batches of events over WebSockets, with a number of events in flight, and takes their acknowledgements."""

import asyncio
import json
from collections import Counter, deque
from itertools import islice
from time import perf_counter

import aiohttp

from bench import events
from bench.recorder import Recorder, Spec, supply


def prepare(spec: Spec) -> list[list[str]]:
    """The batches of each connection, dealt out in turn."""
    source = events.as_json(events.Mix(spec.new_every, spec.keys))
    dealt: list[list[str]] = [[] for _ in range(spec.streams)]
    for turn in range(spec.events // spec.frame_events):
        batch = b",".join(islice(source, spec.frame_events)).decode()
        dealt[turn % spec.streams].append(f'{{"type":"batch","id":{turn},"events":[{batch}]}}')
    return dealt


async def run(spec: Spec, dealt: list[list[str]], recorder: Recorder) -> None:
    """Sends on all connections until the time is up or the batches are, then waits for what is not answered yet."""
    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(_producer(spec, http, batches, recorder) for batches in dealt))


async def _producer(spec: Spec, http: aiohttp.ClientSession, batches: list[str], recorder: Recorder) -> None:
    waiting: deque[float] = deque()
    room = asyncio.Semaphore(max(1, spec.in_flight // spec.frame_events))

    async def send() -> None:
        for batch in supply(spec, batches):
            await room.acquire()
            if perf_counter() >= recorder.ends:
                break
            waiting.append(perf_counter())
            recorder.sent += spec.frame_events
            await connection.send_str(batch)
        await connection.send_str('{"type":"ping"}')

    async with http.ws_connect(f"ws://{spec.address}/ws", compress=0) as connection:
        sending = asyncio.create_task(send())
        ended = False
        while waiting or not ended:
            told = json.loads(await connection.receive_str())
            if told["type"] == "ack":
                recorder.outcomes.update(Counter(result["disposition"].lower() for result in told["results"]))
                recorder.done(perf_counter(), [(waiting.popleft(), spec.frame_events)])
                room.release()
            elif told["type"] == "error":
                recorder.errors[told["reason"]] += spec.frame_events
                waiting.popleft()
                room.release()
            ended = ended or told["type"] == "pong"
        await sending

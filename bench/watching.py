"""Many watchers and a few changes: each watcher follows one group of incidents, or all there are, and notes how long
after an event was sent it was told of the incident that the event opened."""

import asyncio
from time import perf_counter

import grpc
from incidentmanager.v1 import event_pb2, incident_pb2, incident_service_pb2
from incidentmanager.v1 import ingest_service_pb2 as pb

from bench import calls, events
from bench.recorder import Recorder, Spec

METHOD = "/incidentmanager.v1.IncidentService/WatchIncidents"
_PER_CHANNEL = 100
"""Streams of one connection, as the server admits them."""


def prepare(spec: Spec) -> list[tuple[str, bytes]]:
    """Titles, and serialised requests to open incidents with them: of each group in turn."""
    return [_request(number, number % max(1, spec.groups)) for number in range(int(spec.rate * spec.lasts))]


def _request(number: int, group: int) -> tuple[str, bytes]:
    title = events.phrase(number)
    event = event_pb2.Event(source="llm-sentinel", kind="drift.quality", severity="warning", title=title)
    event.deployment = f"group-{group}"
    return title, pb.SubmitEventRequest(event=event).SerializeToString()


async def run(spec: Spec, requests: list[tuple[str, bytes]], recorder: Recorder) -> None:
    """Opens all watches, then sends one event after the other on its schedule, whoever waits for what."""
    sent: dict[str, float] = {}
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(spec.address, options) for _ in range(-(-spec.streams // _PER_CHANNEL))]
    watchers = [_Watcher(channels[n // _PER_CHANNEL], n, spec, sent, recorder) for n in range(spec.streams)]
    tasks = [asyncio.create_task(watcher.run()) for watcher in watchers]
    for watcher in watchers:
        await watcher.ready.wait()
    begin = max(perf_counter(), recorder.starts)
    async with grpc.aio.insecure_channel(spec.address) as channel:
        method = calls.opened(channel)
        for number, (title, request) in enumerate(requests):
            due = begin + number / spec.rate
            if due >= recorder.ends:
                break
            await asyncio.sleep(max(0.0, due - perf_counter()))
            sent[title] = perf_counter()
            recorder.sent += 1
            recorder.outcomes[pb.SubmitEventResponse.FromString(await method(request)).status] += 1
    await asyncio.sleep(1.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(channel.close() for channel in channels))


class _Watcher:
    def __init__(
        self, channel: grpc.aio.Channel, number: int, spec: Spec, sent: dict[str, float], recorder: Recorder
    ) -> None:
        matching = f'deployment = "group-{number % spec.groups}"' if spec.groups else ""
        self._request = incident_service_pb2.WatchIncidentsRequest(filter=matching).SerializeToString()
        self._watch: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(METHOD, None, None)
        self._sent = sent
        self._recorder = recorder
        self.ready = asyncio.Event()

    async def run(self) -> None:
        async for message in self._watch(self._request):
            at = perf_counter()
            change = incident_pb2.IncidentChange.FromString(message)
            if change.heartbeat:
                self.ready.set()
            elif (since := self._sent.get(change.incident.title)) is not None:
                self._recorder.done(at, [(since, 1)])

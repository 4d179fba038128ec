"""Sends frames on bidirectional streams and takes acknowledgements, as a producer does. Everything sent is made before.

Either as fast as credits allow, or on a schedule that waits for nobody: then a late answer counts from the time its
event was due, not from the time it could be sent.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import TypeAlias

import grpc
from incidentmanager.v1 import event_pb2
from incidentmanager.v1 import ingest_service_pb2 as pb

from bench import events, secured, wire
from bench.recorder import Recorder, Spec, supply

METHOD = "/incidentmanager.v1.IngestService/StreamEvents"
_FRAME, _FIRST, _EVENTS = 2, 1, 2
Raw: TypeAlias = "grpc.aio.StreamStreamCall[bytes, bytes]"


@dataclass(frozen=True, slots=True)
class Frame:
    """A serialised frame and which of all events it has."""

    data: bytes
    first: int
    count: int


def prepare(spec: Spec) -> list[list[Frame]]:
    """The frames of each stream, dealt out in turn."""
    source = events.as_proto(events.Mix(spec.new_every, spec.keys))
    dealt: list[list[Frame]] = [[] for _ in range(spec.streams)]
    numbers = [1] * spec.streams
    for turn, first in enumerate(range(0, spec.events, spec.frame_events)):
        stream = turn % spec.streams
        body = b"".join(wire.content(_EVENTS, event) for event in islice(source, spec.frame_events))
        data = wire.content(_FRAME, wire.number(_FIRST, numbers[stream]) + body)
        dealt[stream].append(Frame(data, first, spec.frame_events))
        numbers[stream] += spec.frame_events
    return dealt


async def run(spec: Spec, dealt: Sequence[list[Frame]], recorder: Recorder) -> None:
    """Sends until the time is up or the frames are, then waits for all that is not answered yet."""
    async with AsyncExitStack() as stack:
        channels = [secured.channel(spec) for _ in range(spec.channels)]
        for channel in channels:
            await stack.enter_async_context(channel)
        methods: list[grpc.aio.StreamStreamMultiCallable[bytes, bytes]]
        methods = [channel.stream_stream(METHOD, None, None) for channel in channels]
        zero = perf_counter()
        shown = secured.metadata(spec)
        calls = [methods[n % spec.channels](metadata=shown) for n in range(len(dealt))]
        streams = [_Stream(spec, call, zero, recorder) for call in calls]
        await asyncio.gather(
            *(s.run(f"bench-{n}", frames) for n, (s, frames) in enumerate(zip(streams, dealt, strict=True)))
        )


class _Stream:
    """One producer."""

    def __init__(self, spec: Spec, call: Raw, zero: float, recorder: Recorder) -> None:
        self._spec = spec
        self._call = call
        self._zero = zero
        self._recorder = recorder
        self._waiting: deque[tuple[Frame, float]] = deque()
        self._in_flight = 0
        self._room = asyncio.Event()

    async def run(self, producer: str, frames: list[Frame]) -> None:
        await self._call.write(pb.StreamEventsRequest(open=pb.StreamOpen(producer_id=producer)).SerializeToString())
        await self._call.read()
        async with asyncio.TaskGroup() as both:
            both.create_task(self._receive())
            both.create_task(self._send_all(frames))

    async def _send_all(self, frames: list[Frame]) -> None:
        for frame in supply(self._spec, frames):
            if not self._spec.rate and perf_counter() >= self._recorder.ends:
                break  # a schedule is kept to its last event, however late, or the slowest would go unseen
            await self._send(frame)
        await self._call.done_writing()

    async def _send(self, frame: Frame) -> None:
        if self._spec.rate:
            due = self._zero + (frame.first + frame.count) / self._spec.rate
            if (early := due - perf_counter()) > 0:
                await asyncio.sleep(early)
        while self._in_flight + frame.count > self._spec.in_flight:
            self._room.clear()
            await self._room.wait()
        self._in_flight += frame.count
        self._recorder.sent += frame.count
        self._waiting.append((frame, perf_counter()))
        await self._call.write(frame.data)

    async def _receive(self) -> None:
        while isinstance(data := await self._call.read(), bytes):  # the end is another object
            now = perf_counter()
            left = self._answered(data)
            self._in_flight -= left
            while left > 0:
                frame, sent = self._waiting.popleft()
                left -= frame.count
                self._recorder.done(now, self._due(frame, sent))
            assert left == 0, "acknowledgements cut a frame"
            self._room.set()

    def _answered(self, data: bytes) -> int:
        if self._spec.echo:
            return self._waiting[0][0].count
        results = pb.StreamEventsResponse.FromString(data).acks.results
        self._recorder.outcomes.update(_NAMES[result.disposition] for result in results)
        return len(results)

    def _due(self, frame: Frame, sent: float) -> Iterator[tuple[float, int]]:
        if not self._spec.rate:
            yield sent, frame.count
            return
        for number in range(frame.first, frame.first + frame.count):
            yield self._zero + number / self._spec.rate, 1


_NAMES = {number: name.removeprefix("DISPOSITION_").lower() for name, number in event_pb2.Disposition.items()}

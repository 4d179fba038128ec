"""Keeps a number of unary gRPC calls in flight, each with one event made before."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from time import perf_counter

import grpc
from incidentmanager.v1 import ingest_service_pb2 as pb

from bench import events, wire
from bench.recorder import Recorder, Spec, supply

METHOD = "/incidentmanager.v1.IngestService/SubmitEvent"
_EVENT = 1
Method = Callable[[bytes], Awaitable[bytes]]


def prepare(spec: Spec) -> list[bytes]:
    """Serialised requests."""
    source = events.as_proto(events.Mix(spec.new_every, spec.keys))
    return [wire.content(_EVENT, event) for event in islice(source, spec.events)]


async def run(spec: Spec, requests: list[bytes], recorder: Recorder) -> None:
    """Calls until the time is up or the requests are."""
    left = supply(spec, requests)
    async with grpc.aio.insecure_channel(spec.address) as channel:
        method = opened(channel)
        await asyncio.gather(*(_caller(spec, method, left, recorder) for _ in range(spec.in_flight)))


def opened(channel: grpc.aio.Channel) -> Method:
    """The method, which takes and gives bytes as they are."""
    method: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD, None, None)
    return method


async def _caller(spec: Spec, method: Method, left: Iterator[bytes], recorder: Recorder) -> None:
    for request in left:
        sent = perf_counter()
        if sent >= recorder.ends:
            return
        recorder.sent += 1
        try:
            reply = await method(request)
        except grpc.aio.AioRpcError as error:
            recorder.errors[f"{error.code().name}: {error.details()}"[:120]] += 1
            continue
        recorder.done(perf_counter(), [(sent, 1)])
        if not spec.echo:
            recorder.outcomes[pb.SubmitEventResponse.FromString(reply).status] += 1

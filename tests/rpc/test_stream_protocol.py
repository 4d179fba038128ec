"""StreamEvents on the wire: what opens, what is acknowledged, and what ends a stream with which reason."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Never, TypeAlias

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import AioRpcError, StreamStreamCall, StreamStreamMultiCallable
from incidentmanager.v1 import event_pb2, ingest_service_pb2

from tests.support.reading import read
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
pb = ingest_service_pb2
Reply: TypeAlias = pb.StreamEventsResponse
Call: TypeAlias = StreamStreamCall[bytes, Reply]
PATH = "/incidentmanager.v1.IngestService/StreamEvents"


@asynccontextmanager
async def a_stream(server: RunningServer) -> AsyncIterator[Call]:
    """A raw stream: bytes in, replies out."""
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        method: StreamStreamMultiCallable[bytes, Reply] = channel.stream_stream(PATH, None, Reply.FromString)
        call = method()
        yield call
        call.cancel()


async def opened(call: Call, producer: str) -> pb.StreamOpened:
    await call.write(pb.StreamEventsRequest(open=pb.StreamOpen(producer_id=producer)).SerializeToString())
    reply = await read(call, Reply)
    assert reply.HasField("opened"), reply
    return reply.opened


def frame(first: int, events: Sequence[event_pb2.Event]) -> bytes:
    request = pb.StreamEventsRequest(frame=pb.EventFrame(first_sequence=first, events=events))
    return request.SerializeToString()


def event(title: str = "Model overloaded") -> event_pb2.Event:
    return event_pb2.Event(source="edge", title=title)


async def acks(call: Call, count: int) -> list[event_pb2.EventResult]:
    results: list[event_pb2.EventResult] = []
    while len(results) < count:
        reply = await read(call, Reply)
        assert reply.HasField("acks"), reply
        results.extend(reply.acks.results)
    return results


async def refused(call: Call) -> tuple[str, str]:
    """The code and reason a stream ended with."""
    with pytest.raises(AioRpcError) as ended:
        await _nothing_but_acks(call)
    details = dict(ended.value.trailing_metadata())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    status_pb2.Status.FromString(details).details[0].Unpack(info)
    return ended.value.code().name, info.reason


async def _nothing_but_acks(call: Call) -> Never:
    while True:
        assert (await read(call, Reply)).HasField("acks")


async def test_a_first_stream_starts_at_zero_with_credits(server: RunningServer) -> None:
    async with a_stream(server) as call:
        answer = await opened(call, "first")
        assert (answer.epoch, answer.last_sequence) == (1, 0)
        assert answer.credits >= answer.max_frame_events > 0


async def test_every_event_is_acknowledged_in_order_with_its_disposition(server: RunningServer) -> None:
    async with a_stream(server) as call:
        await opened(call, "orderly")
        await call.write(frame(1, [event("one thing"), event("one thing"), event_pb2.Event(), event("one thing")]))
        results = await acks(call, 4)
        names = [event_pb2.Disposition.Name(result.disposition) for result in results]
        assert names == ["DISPOSITION_NEW", "DISPOSITION_ATTACHED", "DISPOSITION_REJECTED", "DISPOSITION_ATTACHED"]
        assert {violation.field for violation in results[2].violations} == {"source", "title"}
        assert len({results[0].incident_id, results[1].incident_id, results[3].incident_id}) == 1


async def test_numbering_continues_across_epochs_and_resends_are_answered_alike(server: RunningServer) -> None:
    async with a_stream(server) as call:
        await opened(call, "steady")
        await call.write(frame(1, [event("steady thing")] * 3))
        first = await acks(call, 3)
    async with a_stream(server) as call:
        answer = await opened(call, "steady")
        assert (answer.epoch, answer.last_sequence) == (2, 3)
        await call.write(frame(2, [event("steady thing")] * 4))
        again = await acks(call, 4)
    assert again[:2] == first[1:]
    assert again[2].event_id not in {result.event_id for result in first}


async def test_a_newer_stream_fences_the_older_one(server: RunningServer) -> None:
    async with a_stream(server) as zombie:
        await opened(zombie, "fenced")
        async with a_stream(server) as heir:
            await opened(heir, "fenced")
            await zombie.write(frame(1, [event("written by a zombie")]))
            assert await refused(zombie) == ("ABORTED", "PRODUCER_FENCED")
            await heir.write(frame(1, [event("written by the heir")]))
            assert len(await acks(heir, 1)) == 1


@pytest.mark.parametrize(
    ("messages", "code", "reason"),
    [
        # A frame before open.
        ([frame(1, [event()])], "INVALID_ARGUMENT", "STREAM_PROTOCOL"),
        # Open without a name.
        ([pb.StreamEventsRequest(open=pb.StreamOpen()).SerializeToString()], "INVALID_ARGUMENT", "INVALID_FIELD"),
        # Bytes that are no message.
        ([b"\xff\xff\xff"], "INVALID_ARGUMENT", "MALFORMED_MESSAGE"),
    ],
    ids=["frame-first", "nameless", "garbage"],
)
async def test_a_stream_that_does_not_open_is_refused(
    server: RunningServer, messages: list[bytes], code: str, reason: str
) -> None:
    async with a_stream(server) as call:
        for message in messages:
            await call.write(message)
        assert await refused(call) == (code, reason)


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        (frame(5, [event()]), "OUT_OF_RANGE", "SEQUENCE_GAP"),
        (frame(0, [event()]), "OUT_OF_RANGE", "SEQUENCE_GAP"),
        (frame(1, []), "INVALID_ARGUMENT", "STREAM_PROTOCOL"),
        (frame(1, [event()] * 1_001), "INVALID_ARGUMENT", "STREAM_PROTOCOL"),
        (b"\x12\xff", "INVALID_ARGUMENT", "MALFORMED_MESSAGE"),
        (
            pb.StreamEventsRequest(open=pb.StreamOpen(producer_id="x")).SerializeToString(),
            "INVALID_ARGUMENT",
            "STREAM_PROTOCOL",
        ),
    ],
    ids=["gap", "zero", "empty", "too-long", "garbage", "open-twice"],
)
async def test_a_broken_protocol_ends_the_stream_with_its_reason(
    server: RunningServer, message: bytes, code: str, reason: str
) -> None:
    async with a_stream(server) as call:
        await opened(call, f"broken-{reason}-{len(message)}")
        await call.write(message)
        assert await refused(call) == (code, reason)


async def test_what_came_before_a_broken_frame_is_still_acknowledged(server: RunningServer) -> None:
    async with a_stream(server) as call:
        await opened(call, "mixed")
        await call.write(frame(1, [event("before the break")] * 10))
        await call.write(b"\x12\xff")
        assert len(await acks(call, 10)) == 10
        assert (await refused(call))[1] == "MALFORMED_MESSAGE"

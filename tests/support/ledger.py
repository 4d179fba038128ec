"""A small real gRPC server that speaks StreamEvents and nothing else: it keeps the numbers and stores what it is sent.

The client is tested against it where a test must steer the server's side of the protocol, frame by frame.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from llm_incident_client import pb

Context = grpc.aio.ServicerContext[bytes, pb.StreamEventsResponse]
Script = Callable[["Ledger", pb.StreamEventsRequest, Context], Any]
_METHOD = "incidentmanager.v1.IngestService"


@dataclass
class Producer:
    """What the ledger knows of one producer."""

    epoch: int = 0
    titles: list[str] = field(default_factory=list)


class Ledger:
    """Commits at once and acknowledges at once, unless `before_commit` (called per message) does otherwise."""

    def __init__(self, credits_given: int = 2000, max_frame: int = 1000, before_commit: Script | None = None) -> None:
        self.credits = credits_given
        self.max_frame = max_frame
        self.before_commit = before_commit
        self.producers: dict[str, Producer] = {}
        self.received = 0
        self.frames: list[tuple[int, int]] = []
        self.most_in_flight = 0
        self.holding = asyncio.Event()
        self.holding.set()
        self._drains: set[asyncio.Queue[pb.StreamEventsResponse | None]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        handlers = {
            "StreamEvents": grpc.stream_stream_rpc_method_handler(
                self._stream,
                request_deserializer=pb.StreamEventsRequest.FromString,
                response_serializer=pb.StreamEventsResponse.SerializeToString,
            )
        }
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_METHOD, handlers),))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(None)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def titles(self, producer: str = "p") -> list[str]:
        return self.producers[producer].titles

    def drain(self) -> None:
        """Tells all open streams that the server is about to go."""
        message = pb.StreamEventsResponse(drain=pb.StreamDrain(grace=pb.Duration(seconds=5)))
        for queue in self._drains:
            queue.put_nowait(message)

    async def _stream(
        self, requests: AsyncIterator[pb.StreamEventsRequest], context: Context
    ) -> AsyncIterator[pb.StreamEventsResponse]:
        replies: asyncio.Queue[pb.StreamEventsResponse | None] = asyncio.Queue()
        self._drains.add(replies)
        reader = asyncio.create_task(self._read(requests, replies, context))
        try:
            while (reply := await replies.get()) is not None:
                yield reply
            await reader
        finally:
            self._drains.discard(replies)
            reader.cancel()

    async def _read(
        self,
        requests: AsyncIterator[pb.StreamEventsRequest],
        replies: "asyncio.Queue[pb.StreamEventsResponse | None]",
        context: Context,
    ) -> None:
        producer, epoch = Producer(), 0
        try:
            async for request in requests:
                if self.before_commit is not None:
                    await self.before_commit(self, request, context)
                if request.HasField("open"):
                    producer = self.producers.setdefault(request.open.producer_id, Producer())
                    producer.epoch = epoch = producer.epoch + 1
                    opened = pb.StreamOpened(
                        epoch=epoch,
                        last_sequence=len(producer.titles),
                        credits=self.credits,
                        max_frame_events=self.max_frame,
                    )
                    replies.put_nowait(pb.StreamEventsResponse(opened=opened))
                    continue
                if producer.epoch != epoch:
                    await refuse(context, grpc.StatusCode.ABORTED, "PRODUCER_FENCED", "a newer stream took over")
                self.received += len(request.frame.events)
                self.most_in_flight = max(self.most_in_flight, len(request.frame.events))
                await self.holding.wait()
                replies.put_nowait(self._commit(producer, request.frame))
        finally:
            replies.put_nowait(None)

    def _commit(self, producer: Producer, frame: pb.EventFrame) -> pb.StreamEventsResponse:
        self.frames.append((frame.first_sequence, len(frame.events)))
        results = []
        for number, event in enumerate(frame.events, frame.first_sequence):
            if number > len(producer.titles) + 1:
                raise AssertionError(f"gap: {number} after {len(producer.titles)}")
            if number == len(producer.titles) + 1:
                producer.titles.append(event.title)
            assert producer.titles[number - 1] == event.title, "another event came back under the same number"
            results.append(pb.EventResult(event_id=str(number), disposition=pb.Disposition.DISPOSITION_ATTACHED))
        acks = pb.EventAcks(first_sequence=frame.first_sequence, results=results, credits=self.credits)
        return pb.StreamEventsResponse(acks=acks)


async def refuse(
    context: Context, code: grpc.StatusCode, reason: str, message: str, *, retry_after: float | None = None
) -> None:
    """Ends the call as the service does: with one ErrorInfo, and RetryInfo when given."""
    details = [any_pb2.Any()]
    details[0].Pack(error_details_pb2.ErrorInfo(reason=reason, domain="incidentmanager"))
    if retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(retry_after * 1e9))
        details.append(any_pb2.Any())
        details[1].Pack(retry)
    status = status_pb2.Status(code=code.value[0], message=message, details=details)
    await context.abort_with_status(rpc_status.to_status(status))

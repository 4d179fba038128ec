"""StreamEvents: frames in, cumulative acknowledgements out, each only after its commit.

A reader takes frames as fast as credits allow and queues them with the batcher; the writer waits for the oldest and
acknowledges everything that is committed by then in one message.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from time import perf_counter  # a stop-watch for metrics, not a source of time

from google.protobuf.duration_pb2 import Duration
from incidentmanager.v1 import event_pb2, ingest_service_pb2

from llm_incident_manager.domain.disposition import EventResult
from llm_incident_manager.domain.errors import DomainError, ErrorReason, InvalidFields, SequenceGap
from llm_incident_manager.engines.admission import Priority
from llm_incident_manager.pipeline.batch import ProducerClaim, Submission
from llm_incident_manager.ports.changes import ProducerKey, ProducerRow
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers.reception import Reception, merged
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import events as translate

pb = ingest_service_pb2
MOST_RESULTS = 2_000
"""Results in one acknowledgement."""


@dataclass(slots=True)
class Frame:
    """A frame under way."""

    first: int
    count: int
    places: Sequence[int]
    rejected: dict[int, EventResult]
    submission: Submission
    done: asyncio.Future[None]
    started: float

    def results(self) -> list[EventResult]:
        """One result an event. Raises the submission's error."""
        if self.submission.error is not None:
            raise self.submission.error
        return merged(self.count, self.places, self.submission.results, self.rejected)


class IngestStream:
    """One stream of one producer."""

    def __init__(self, services: Services, reception: Reception, call: Call) -> None:
        """Serves this call."""
        self._on = services
        self._reception = reception
        self._call = call
        self._frames: asyncio.Queue[Frame | Exception | None] = asyncio.Queue()
        self._in_flight = 0
        self._next: int | None = None
        self._lane = services.batcher.lane()

    async def run(self, requests: AsyncIterator[pb.StreamEventsRequest]) -> AsyncIterator[pb.StreamEventsResponse]:
        """Replies until the producer is done, breaks the protocol, is fenced, or the server drains."""
        row = await self._open(requests)
        yield self._opened(row)
        reader = asyncio.create_task(self._read(requests, row), name="stream-reader")
        farewell = asyncio.create_task(self._await_drain(), name="stream-drain")
        try:
            while isinstance(frame := await self._frames.get(), Frame):
                yield await self._acknowledge(frame)
            if isinstance(frame, Exception):
                raise frame
            if self._on.drain.begun:
                grace = Duration(seconds=int(self._on.drain.grace))
                yield pb.StreamEventsResponse(drain=pb.StreamDrain(grace=grace))
        finally:
            for task in (reader, farewell):
                task.cancel()
            await asyncio.gather(reader, farewell, return_exceptions=True)

    async def _open(self, requests: AsyncIterator[pb.StreamEventsRequest]) -> ProducerRow:
        first = await anext(requests, None)
        if first is None or not first.HasField("open"):
            raise _protocol("the first message must be `open` with a producer_id", "open")
        violations = self._call.check(first)
        if violations:
            raise InvalidFields(violations)
        if first.open.traceparent:
            self._call.traceparent = first.open.traceparent
        caller = self._call.caller
        key = ProducerKey(caller.tenant, caller.subject, first.open.producer_id)
        self._call.facts["producer"] = key.producer_id
        async with self._on.door.writes.place(Priority.NORMAL), self._on.store.transaction() as tx:
            return await tx.open_producer(key, self._on.clock.now())

    def _opened(self, row: ProducerRow) -> pb.StreamEventsResponse:
        limits = self._on.limits
        return pb.StreamEventsResponse(
            opened=pb.StreamOpened(
                epoch=row.epoch,
                last_sequence=row.last_sequence,
                credits=limits.credits,
                max_frame_events=limits.max_frame_events,
            )
        )

    async def _read(self, requests: AsyncIterator[pb.StreamEventsRequest], row: ProducerRow) -> None:
        """Queues frames until the producer is done; whatever ends the stream is queued behind them."""
        end: Exception | None = None
        try:
            async for request in requests:
                if self._on.drain.begun:
                    return
                await self._take(request, row)
        except Exception as error:  # noqa: BLE001  # run raises it
            end = error
        self._frames.put_nowait(end)

    async def _take(self, request: pb.StreamEventsRequest, row: ProducerRow) -> None:
        frame = self._checked_frame(request, row)
        await self._call.pace(len(frame.events))
        first, count = frame.first_sequence, len(frame.events)
        self._next = first + count
        events, places, rejected = self._reception.sort(
            frame.events, self._call.caller.condition, self._reception.repeats.valid_event
        )
        claim = ProducerClaim(row.key, row.epoch, [first + place for place in places], first, first + count - 1)
        submission = self._reception.submission(self._call, events, frame, claim)
        self._in_flight += count
        done = await self._on.batcher.enqueue(submission, self._lane)
        self._frames.put_nowait(Frame(first, count, places, rejected, submission, done, perf_counter()))

    def _checked_frame(self, request: pb.StreamEventsRequest, row: ProducerRow) -> pb.EventFrame:
        """The frame, if it may come now: contiguous, within credits, not too long."""
        if not request.HasField("frame"):
            raise _protocol("after `open` only frames may follow", "frame")
        frame, limits = request.frame, self._on.limits
        count, first = len(frame.events), frame.first_sequence
        if not 0 < count <= limits.max_frame_events:
            raise _protocol(f"a frame has 1 to {limits.max_frame_events} events, this one {count}", "frame")
        _check_sequence(first, self._next, row.last_sequence)
        if self._in_flight + count > limits.credits:
            text = f"{self._in_flight + count} events in flight and {limits.credits} credits: wait for acknowledgements"
            raise DomainError(ErrorReason.CREDITS_EXCEEDED, text, {"credits": str(limits.credits)}, retry_after=0.1)
        return frame

    async def _acknowledge(self, frame: Frame) -> pb.StreamEventsResponse:
        """The results of the oldest frame and of all behind it that are committed by then."""
        await frame.done
        results = frame.results()
        while len(results) < MOST_RESULTS and (more := self._committed()) is not None:
            results.extend(more.results())
        self._in_flight -= len(results)
        self._on.metrics.acknowledged(perf_counter() - frame.started)
        acks = event_acks(frame.first, results, self._on.limits.credits)
        return pb.StreamEventsResponse(acks=acks)

    def _committed(self) -> Frame | None:
        """The next frame, when it is committed without an error."""
        waiting = self._frames._queue  # type: ignore[attr-defined]  # noqa: SLF001  # asyncio.Queue has no peek
        head = waiting[0] if waiting else None
        if not isinstance(head, Frame) or not head.done.done() or head.done.exception() or head.submission.error:
            return None
        self._frames.get_nowait()
        return head

    async def _await_drain(self) -> None:
        await self._on.drain.wait()
        self._frames.put_nowait(None)


def event_acks(first: int, results: Sequence[EventResult], credits_left: int) -> pb.EventAcks:
    """Acknowledges consecutive events from `first` on."""
    built: list[event_pb2.EventResult] = [translate.result(result) for result in results]
    return pb.EventAcks(first_sequence=first, results=built, credits=credits_left)


def _check_sequence(first: int, expected: int | None, last_committed: int) -> None:
    """The first frame of a stream may go back to what is committed; each later one continues the one before."""
    if expected is None and 1 <= first <= last_committed + 1:
        return
    wanted = last_committed + 1 if expected is None else expected
    if first != wanted:
        raise SequenceGap(wanted, first)


def _protocol(text: str, expected: str) -> DomainError:
    return DomainError(ErrorReason.STREAM_PROTOCOL, text, {"expected": expected})

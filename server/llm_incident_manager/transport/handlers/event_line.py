"""Frames of events in, cumulative acknowledgements out, each only after its commit: what IngestService.StreamEvents and
the sessions of Edge-Agents have in common.

Whoever reads a stream gives frames in as fast as credits allow, and they queue with the batcher; whoever writes to it
takes acknowledgements out: each waits for the oldest frame, and tells of everything that is committed by then.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from time import perf_counter  # a stop-watch for metrics, not a source of time

from incidentmanager.v1 import event_pb2, ingest_service_pb2

from llm_incident_manager.domain.disposition import EventResult
from llm_incident_manager.domain.errors import DomainError, ErrorReason, SequenceGap
from llm_incident_manager.pipeline.batch import ProducerClaim, Submission
from llm_incident_manager.ports.changes import ProducerRow
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


class EventLine:
    """The events of one stream of one producer."""

    def __init__(self, services: Services, reception: Reception, call: Call, row: ProducerRow) -> None:
        """`row` is the producer with the epoch of this stream."""
        self._on = services
        self._reception = reception
        self._call = call
        self._row = row
        self._frames: asyncio.Queue[Frame | Exception | None] = asyncio.Queue()
        self._in_flight = 0
        self._next: int | None = None
        self._lane = services.batcher.lane()

    async def take(self, frame: pb.EventFrame) -> None:
        """Queues a frame. Raises what it breaks: sequence, credits, size."""
        self._check(frame)
        await self._call.pace(len(frame.events))
        first, count, row = frame.first_sequence, len(frame.events), self._row
        self._next = first + count
        events, places, rejected = self._reception.sort(
            frame.events, self._call.caller.condition, self._reception.repeats.valid_event
        )
        claim = ProducerClaim(row.key, row.epoch, [first + place for place in places], first, first + count - 1)
        submission = self._reception.submission(self._call, events, frame, claim)
        self._in_flight += count
        done = await self._on.batcher.enqueue(submission, self._lane)
        self._frames.put_nowait(Frame(first, count, places, rejected, submission, done, perf_counter()))

    def end(self, error: Exception | None = None) -> None:
        """No more frames come, for that reason if there is one."""
        self._frames.put_nowait(error)

    async def acks(self) -> AsyncIterator[pb.EventAcks]:
        """Acknowledgements until the end, whose reason is raised."""
        while isinstance(frame := await self._frames.get(), Frame):
            yield await self._acknowledge(frame)
        if isinstance(frame, Exception):
            raise frame

    def _check(self, frame: pb.EventFrame) -> None:
        """A frame may come that is contiguous, within credits, and not too long."""
        limits = self._on.limits
        count = len(frame.events)
        if not 0 < count <= limits.max_frame_events:
            raise protocol(f"a frame has 1 to {limits.max_frame_events} events, this one {count}", "frame")
        _check_sequence(frame.first_sequence, self._next, self._row.last_sequence)
        if self._in_flight + count > limits.credits:
            text = f"{self._in_flight + count} events in flight and {limits.credits} credits: wait for acknowledgements"
            raise DomainError(ErrorReason.CREDITS_EXCEEDED, text, {"credits": str(limits.credits)}, retry_after=0.1)

    async def _acknowledge(self, frame: Frame) -> pb.EventAcks:
        """The results of the oldest frame and of all behind it that are committed by then."""
        await frame.done
        results = frame.results()
        while len(results) < MOST_RESULTS and (more := self._committed()) is not None:
            results.extend(more.results())
        self._in_flight -= len(results)
        self._on.metrics.acknowledged(perf_counter() - frame.started)
        return event_acks(frame.first, results, self._on.limits.credits)

    def _committed(self) -> Frame | None:
        """The next frame, when it is committed without an error."""
        waiting = self._frames._queue  # type: ignore[attr-defined]  # noqa: SLF001  # asyncio.Queue has no peek
        head = waiting[0] if waiting else None
        if not isinstance(head, Frame) or not head.done.done() or head.done.exception() or head.submission.error:
            return None
        self._frames.get_nowait()
        return head


def event_acks(first: int, results: Sequence[EventResult], credits_left: int) -> pb.EventAcks:
    """Acknowledges consecutive events from `first` on."""
    built: list[event_pb2.EventResult] = [translate.result(result) for result in results]
    return pb.EventAcks(first_sequence=first, results=built, credits=credits_left)


def protocol(text: str, expected: str) -> DomainError:
    """A message that may not come now."""
    return DomainError(ErrorReason.STREAM_PROTOCOL, text, {"expected": expected})


def _check_sequence(first: int, expected: int | None, last_committed: int) -> None:
    """The first frame of a stream may go back to what is committed; each later one continues the one before."""
    if expected is None and 1 <= first <= last_committed + 1:
        return
    wanted = last_committed + 1 if expected is None else expected
    if first != wanted:
        raise SequenceGap(wanted, first)

"""Events of a connection that has no sequence numbers: batch after batch, in order, each answered after its commit.

What StreamEvents is to producers that keep count, this is to a WebSocket: the same checks, the same lane of the batcher
and the same patience instead of refusals, but nothing to resume. A batch that fails is answered as such, and the next
one goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from time import perf_counter  # a stop-watch for metrics, not a source of time

from google.protobuf.message import Message
from incidentmanager.v1 import ingest_service_pb2

from llm_incident_manager.domain.disposition import EventResult
from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers.reception import Reception, merged
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import events as translate

pb = ingest_service_pb2


@dataclass(slots=True)
class _Batch:
    """A batch under way."""

    count: int
    places: Sequence[int]
    rejected: dict[int, EventResult]
    submission: Submission
    done: asyncio.Future[None]
    started: float


class SocketEvents:
    """Answers batches of events with their results."""

    def __init__(self, services: Services, reception: Reception) -> None:
        """Asks these use cases."""
        self._on = services
        self._reception = reception

    async def run(self, requests: AsyncIterator[pb.SubmitEventsRequest], call: Call) -> AsyncIterator[Message]:
        """One reply for each request, in their order: SubmitEventsResponse, or google.rpc.Status when it failed. Ends
        when the requests do, and all are answered."""
        async for reply in _Connection(self._on, self._reception, call).run(requests):
            yield reply


class _Connection:
    def __init__(self, services: Services, reception: Reception, call: Call) -> None:
        self._on = services
        self._reception = reception
        self._call = call
        self._batches: asyncio.Queue[_Batch | Exception | None] = asyncio.Queue()
        self._in_flight = 0
        self._answered = asyncio.Event()
        self._lane = services.batcher.lane()

    async def run(self, requests: AsyncIterator[pb.SubmitEventsRequest]) -> AsyncIterator[Message]:
        reader = asyncio.create_task(self._read(requests), name="socket-events")
        try:
            while isinstance(batch := await self._batches.get(), _Batch):
                yield await self._answer(batch)
            if isinstance(batch, Exception):
                raise batch
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(self, requests: AsyncIterator[pb.SubmitEventsRequest]) -> None:
        """Queues batches until there are no more; whatever ends that is queued behind them."""
        end: Exception | None = None
        try:
            async for request in requests:
                await self._take(request)
        except Exception as error:  # noqa: BLE001  # run raises it
            end = error
        self._batches.put_nowait(end)

    async def _take(self, request: pb.SubmitEventsRequest) -> None:
        count = len(request.events)
        await self._call.pace(count)
        while self._in_flight and self._in_flight + count > self._on.limits.credits:
            self._answered.clear()
            await self._answered.wait()
        events, places, rejected = self._reception.sort(
            request.events, self._call.caller.condition, self._reception.repeats.valid_event
        )
        submission = self._reception.submission(self._call, events, request)
        submission.connection = self
        self._in_flight += count
        done = await self._on.batcher.enqueue(submission, self._lane)
        self._batches.put_nowait(_Batch(count, places, rejected, submission, done, perf_counter()))

    async def _answer(self, batch: _Batch) -> Message:
        try:
            await batch.done
            if batch.submission.error is not None:
                raise batch.submission.error
        except DomainError as error:
            return errors.status_error(error).status
        finally:
            self._in_flight -= batch.count
            self._answered.set()
        self._on.metrics.acknowledged(perf_counter() - batch.started)
        results = merged(batch.count, batch.places, batch.submission.results, batch.rejected)
        return pb.SubmitEventsResponse(
            results=[translate.result(result) for result in results],
            accepted=batch.count - len(batch.rejected),
            rejected=len(batch.rejected),
        )

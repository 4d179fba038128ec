"""StreamEvents: frames in, cumulative acknowledgements out, each only after its commit."""

import asyncio
from collections.abc import AsyncIterator

from google.protobuf.duration_pb2 import Duration
from incidentmanager.v1 import ingest_service_pb2

from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.engines.admission import Priority
from llm_incident_manager.ports.changes import ProducerKey, ProducerRow
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers.event_line import EventLine, protocol
from llm_incident_manager.transport.handlers.reception import Reception
from llm_incident_manager.transport.handlers.services import Services

pb = ingest_service_pb2


class IngestStream:
    """One stream of one producer."""

    def __init__(self, services: Services, reception: Reception, call: Call) -> None:
        """Serves this call."""
        self._on = services
        self._reception = reception
        self._call = call

    async def run(self, requests: AsyncIterator[pb.StreamEventsRequest]) -> AsyncIterator[pb.StreamEventsResponse]:
        """Replies until the producer is done, breaks the protocol, is fenced, or the server drains."""
        row = await self._open(requests)
        yield self._opened(row)
        line = EventLine(self._on, self._reception, self._call, row)
        reader = asyncio.create_task(self._read(requests, line), name="stream-reader")
        farewell = asyncio.create_task(self._await_drain(line), name="stream-drain")
        try:
            async for acks in line.acks():
                yield pb.StreamEventsResponse(acks=acks)
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
            raise protocol("the first message must be `open` with a producer_id", "open")
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

    async def _read(self, requests: AsyncIterator[pb.StreamEventsRequest], line: EventLine) -> None:
        """Queues frames until the producer is done; whatever ends the stream is queued behind them."""
        end: Exception | None = None
        try:
            async for request in requests:
                if self._on.drain.begun:
                    return
                await line.take(_frame(request))
        except Exception as error:  # noqa: BLE001  # run raises it
            end = error
        line.end(end)

    async def _await_drain(self, line: EventLine) -> None:
        await self._on.drain.wait()
        line.end()


def _frame(request: pb.StreamEventsRequest) -> pb.EventFrame:
    if not request.HasField("frame"):
        raise protocol("after `open` only frames may follow", "frame")
    return request.frame

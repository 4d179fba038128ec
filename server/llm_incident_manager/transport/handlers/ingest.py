"""IngestService: events in, one by one, in batches, in streams; and what became of them."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message
from incidentmanager.v1 import alert_pb2, ingest_service_pb2

from llm_incident_manager.domain import scope
from llm_incident_manager.domain.disposition import EventResult
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import EventId
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import explain, reception, validity, writes
from llm_incident_manager.transport.handlers.reception import CheckEvent, Reception
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.handlers.stream import IngestStream
from llm_incident_manager.transport.translate import alerts as translate_alerts
from llm_incident_manager.transport.translate import events as translate
from llm_incident_manager.transport.translate import incidents as translate_incidents
from llm_incident_manager.usecases import sight

pb = ingest_service_pb2
M = TypeVar("M", bound=Message)


class IngestHandlers:
    """The methods of IngestService."""

    def __init__(self, services: Services, check_event: CheckEvent) -> None:
        """Asks these use cases."""
        self._on = services
        self._reception = Reception(services, check_event)

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "SubmitEvent": self.submit_event,
            "SubmitAlert": self.submit_alert,
            "SubmitEvents": self.submit_events,
            "StreamEvents": self.stream_events,
            "GetEvent": self.get_event,
            "ExplainEvent": self.explain_event,
        }

    async def submit_event(self, request: pb.SubmitEventRequest, call: Call) -> pb.SubmitEventResponse:
        """One event; a bad one is refused with every bad field."""
        self._reception.look_at(call, request.event)
        event = validity.valid_event(request.event, self._on.clock.now())
        if event is None:
            raise InvalidFields(reception.submit_violations(request))
        return await self._submit_one(call, request, event, pb.SubmitEventResponse, self._reply)

    async def submit_alert(self, request: alert_pb2.SubmitAlertRequest, call: Call) -> alert_pb2.SubmitAlertResponse:
        """One alert, which becomes an event."""
        event = translate_alerts.event(request.alert, self._on.clock.now())
        return await self._submit_one(call, request, event, alert_pb2.SubmitAlertResponse, _alert_reply)

    async def _submit_one(
        self, call: Call, request: Any, event: Event, kept: type[M], reply: Callable[[Submission, EventResult], M]
    ) -> M:
        """Commits one event; under a request id the reply is kept, as what it is, for a repeat."""
        sight.refuse(scope.outside(call.caller.condition, event.service, event.labels))
        submission = self._reception.submission(call, [event], request)
        if not request.request_id:
            return reply(submission, (await self._reception.commit(submission))[0])

        async def work(tx: Transaction, changes: Changes) -> M:
            return reply(submission, (await self._reception.decide(tx, submission, changes))[0])

        async with self._reception.admitted(submission):
            await self._on.runner.reserve([submission])
            done = await writes.done(self._on.units, call, request, kept, work, caller=reception.unnarrowed(call))
        if not done.repeated:
            self._reception.count(submission)
        return done.answer

    async def submit_events(self, request: pb.SubmitEventsRequest, call: Call) -> pb.SubmitEventsResponse:
        """Many events, each with its own result."""
        async with self._reception.announced(call, request.events):
            valid, places, rejected = self._reception.sort(request.events, call.caller.condition)
        submission = self._reception.submission(call, valid, request)
        if not request.request_id or not valid:
            results = await self._reception.commit(submission) if valid else ()
            return _replies(len(request.events), places, results, rejected)

        async def work(tx: Transaction, changes: Changes) -> pb.SubmitEventsResponse:
            results = await self._reception.decide(tx, submission, changes)
            return _replies(len(request.events), places, results, rejected)

        async with self._reception.admitted(submission):
            await self._on.runner.reserve([submission])
            caller = reception.unnarrowed(call)
            done = await writes.done(self._on.units, call, request, pb.SubmitEventsResponse, work, caller=caller)
        if not done.repeated:
            self._reception.count(submission)
        return done.answer

    async def stream_events(
        self, requests: AsyncIterator[pb.StreamEventsRequest], call: Call
    ) -> AsyncIterator[pb.StreamEventsResponse]:
        """A stream of frames with cumulative acknowledgements."""
        async for reply in IngestStream(self._on, self._reception, call).run(requests):
            yield reply

    async def get_event(self, request: pb.GetEventRequest, call: Call) -> pb.GetEventResponse:
        """A stored event."""
        stored = await explain.stored_event(self._on, call.caller, EventId(request.event_id.lower()))
        return pb.GetEventResponse(event=explain.record(stored, self._on.tools.codec))

    async def explain_event(self, request: pb.ExplainEventRequest, call: Call) -> pb.ExplainEventResponse:
        """An event's way."""
        return await explain.event(self._on, call.caller, EventId(request.event_id.lower()))

    def _reply(self, submission: Submission, result: EventResult) -> pb.SubmitEventResponse:
        reply = translate.submit_response(result)
        reply.fingerprint.CopyFrom(translate_incidents.fingerprint(submission.identities[0][0]))
        return reply


def _alert_reply(_: Submission, result: EventResult) -> alert_pb2.SubmitAlertResponse:
    return translate_alerts.response(result)


def _replies(
    count: int, places: Sequence[int], results: Sequence[EventResult], rejected: dict[int, EventResult]
) -> pb.SubmitEventsResponse:
    both = reception.merged(count, places, results, rejected)
    return pb.SubmitEventsResponse(
        results=[translate.result(result) for result in both],
        accepted=count - len(rejected),
        rejected=len(rejected),
    )

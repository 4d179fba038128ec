"""The methods of IngestService: events in, one at a time, in batches, or as a durable stream."""

from collections.abc import Iterable

from llm_incident_client import pb
from llm_incident_client.core import calls
from llm_incident_client.core.options import StreamOptions
from llm_incident_client.core.stream import EventStream


class IngestCalls(calls.MethodGroup):
    """Reporting events, and asking what became of them. All methods raise IncidentManagerError."""

    async def submit_event(self, event: pb.Event, *, request_id: str = "") -> pb.SubmitEventResponse:
        """Reports one event. It is durable when this returns."""
        request = pb.SubmitEventRequest(event=event, request_id=request_id or calls.new_request_id())
        return await self._caller.unary(self._ingest.SubmitEvent, request)

    async def submit_alert(self, alert: pb.Alert, *, request_id: str = "") -> pb.SubmitAlertResponse:
        """Reports one alert in a monitoring system's words. It is durable when this returns."""
        request = pb.SubmitAlertRequest(alert=alert, request_id=request_id or calls.new_request_id())
        return await self._caller.unary(self._ingest.SubmitAlert, request)

    async def submit_events(self, events: Iterable[pb.Event], *, request_id: str = "") -> pb.SubmitEventsResponse:
        """Reports up to 1,000 events. A bad one is REJECTED in its result and does not spoil the others."""
        request = pb.SubmitEventsRequest(events=events, request_id=request_id or calls.new_request_id())
        return await self._caller.unary(self._ingest.SubmitEvents, request)

    def event_stream(self, producer_id: str, options: StreamOptions | None = None) -> EventStream:
        """A durable stream of events: `async with client.event_stream("my-service") as stream`.

        Keep the producer id across restarts, and use it in one stream at a time: a newer one ends this one.
        """
        return EventStream(self._caller.events, producer_id, options, self._caller.renews)

    async def get_event(self, event_id: str) -> pb.EventRecord:
        """A stored event with what became of it."""
        reply = await self._caller.unary(self._ingest.GetEvent, pb.GetEventRequest(event_id=event_id))
        return reply.event

    async def explain_event(self, event_id: str) -> pb.ExplainEventResponse:
        """An event's whole way: fingerprint, severity, disposition, incident and why."""
        return await self._caller.unary(self._ingest.ExplainEvent, pb.ExplainEventRequest(event_id=event_id))

# Written by `make gen` from llm_incident_client/ingest.py: edit that file.
"""The methods of IngestService: events in, one at a time, in batches, or as a durable stream."""

from collections.abc import Iterable

from llm_incident_client import ingest as asynchronous
from llm_incident_client import pb
from llm_incident_client.core.options import StreamOptions
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.stream import EventStream


class IngestCalls(Blocking):
    """Reporting events, and asking what became of them. All methods raise IncidentManagerError."""

    def submit_event(self, event: pb.Event, *, request_id: str = "") -> pb.SubmitEventResponse:
        """Reports one event. It is durable when this returns."""
        return self.portal.wait(self._as(asynchronous.IngestCalls).submit_event(event, request_id=request_id))

    def submit_alert(self, alert: pb.Alert, *, request_id: str = "") -> pb.SubmitAlertResponse:
        """Reports one alert in a monitoring system's words. It is durable when this returns."""
        return self.portal.wait(self._as(asynchronous.IngestCalls).submit_alert(alert, request_id=request_id))

    def submit_events(self, events: Iterable[pb.Event], *, request_id: str = "") -> pb.SubmitEventsResponse:
        """Reports up to 1,000 events. A bad one is REJECTED in its result and does not spoil the others."""
        return self.portal.wait(self._as(asynchronous.IngestCalls).submit_events(list(events), request_id=request_id))

    def event_stream(self, producer_id: str, options: StreamOptions | None = None) -> EventStream:
        """A durable stream of events: `with client.event_stream("my-service") as stream`.

        Keep the producer id across restarts, and use it in one stream at a time: a newer one ends this one.
        """
        return EventStream(self, self._as(asynchronous.IngestCalls).event_stream(producer_id, options))

    def get_event(self, event_id: str) -> pb.EventRecord:
        """A stored event with what became of it."""
        return self.portal.wait(self._as(asynchronous.IngestCalls).get_event(event_id))

    def explain_event(self, event_id: str) -> pb.ExplainEventResponse:
        """An event's whole way: fingerprint, severity, disposition, incident and why."""
        return self.portal.wait(self._as(asynchronous.IngestCalls).explain_event(event_id))

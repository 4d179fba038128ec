# Written by `make gen` from llm_incident_client/incidents.py: edit that file.
"""The methods of IncidentService that open, read, edit, list and watch incidents."""

from collections.abc import Iterable, Mapping

from llm_incident_client import incidents as asynchronous
from llm_incident_client import pb
from llm_incident_client.core import retry
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class IncidentCalls(Blocking):
    """Incidents as resources. `incident_id` takes an id or a number; all methods raise IncidentManagerError."""

    def create_incident(
        self,
        source: str,
        title: str,
        *,
        description: str = "",
        severity: pb.Severity.ValueType = pb.Severity.SEVERITY_UNSPECIFIED,
        incident_type: pb.IncidentType.ValueType = pb.IncidentType.INCIDENT_TYPE_UNSPECIFIED,
        kind: str = "",
        labels: Mapping[str, str] | None = None,
        service: str = "",
        provider: str = "",
        dedup_key: str = "",
        assignees: Iterable[str] = (),
        request_id: str = "",
    ) -> pb.Incident:
        """Opens an incident by hand. Raises FingerprintTaken, naming it, while an open one has the same fingerprint."""
        return self.portal.wait(
            self._as(asynchronous.IncidentCalls).create_incident(
                source,
                title,
                description=description,
                severity=severity,
                incident_type=incident_type,
                kind=kind,
                labels=labels,
                service=service,
                provider=provider,
                dedup_key=dedup_key,
                assignees=list(assignees),
                request_id=request_id,
            )
        )

    def get_incident(self, incident_id: str) -> pb.Incident:
        """An incident as it is now."""
        return self.portal.wait(self._as(asynchronous.IncidentCalls).get_incident(incident_id))

    def update_incident(
        self, incident: pb.Incident, *, update_mask: Iterable[str] = (), actor: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Takes the fields of the mask (all that are set when empty). `id` names the incident, `etag` guards it."""
        return self.portal.wait(
            self._as(asynchronous.IncidentCalls).update_incident(
                incident, update_mask=list(update_mask), actor=actor, request_id=request_id
            )
        )

    def list_incidents(
        self,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",
        order_by: str = "",
        page_size: int = 0,
        page_token: str = "",
        page: int = 0,
        search: str = "",
    ) -> pb.ListIncidentsResponse:
        """One page of the incidents that match. `search` is of words, all of which must occur; `laten*` begins one."""
        return self.portal.wait(
            self._as(asynchronous.IncidentCalls).list_incidents(
                start=start,
                end=end,
                filter=filter,
                order_by=order_by,
                page_size=page_size,
                page_token=page_token,
                page=page,
                search=search,
            )
        )

    def iter_incidents(
        self,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",
        order_by: str = "",
        page_size: int = 100,
        search: str = "",
    ) -> Items[pb.Incident]:
        """All incidents that match, fetched page by page as they are taken."""
        return Items(
            self,
            self._as(asynchronous.IncidentCalls).iter_incidents(
                start=start, end=end, filter=filter, order_by=order_by, page_size=page_size, search=search
            ),
        )

    def stream_incidents(self, *, filter: str = "") -> Items[pb.Incident]:
        """The open incidents that match, then each one again as it changes; ends with the connection. See `watch`."""
        return Items(self, self._as(asynchronous.IncidentCalls).stream_incidents(filter=filter))

    def watch(
        self, *, filter: str = "", resume_token: str = "", snapshot: bool = False, backoff: retry.Backoff | None = None
    ) -> Items[pb.IncidentChange]:
        """Every change in commit order, for ever: reconnects by itself and continues where it was.

        Heartbeats and the server's going away are not shown. A cut before the first token repeats the snapshot.
        """
        return Items(
            self,
            self._as(asynchronous.IncidentCalls).watch(
                filter=filter, resume_token=resume_token, snapshot=snapshot, backoff=backoff
            ),
        )

    def analyze_correlations(self, incident_id: str) -> pb.CorrelationResult:
        """Which incidents belong together."""
        return self.portal.wait(self._as(asynchronous.IncidentCalls).analyze_correlations(incident_id))

    def list_timeline(self, incident_id: str, *, page_size: int = 0, page_token: str = "") -> pb.ListTimelineResponse:
        """One page of what happened to an incident, oldest first."""
        return self.portal.wait(
            self._as(asynchronous.IncidentCalls).list_timeline(incident_id, page_size=page_size, page_token=page_token)
        )

    def iter_timeline(self, incident_id: str, *, page_size: int = 100) -> Items[pb.TimelineEntry]:
        """All that happened to an incident, oldest first."""
        return Items(self, self._as(asynchronous.IncidentCalls).iter_timeline(incident_id, page_size=page_size))

"""The methods of IncidentService that open, read, edit, list and watch incidents."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable, Mapping

from llm_incident_client import pb
from llm_incident_client.core import calls, errors, retry


class IncidentCalls(calls.MethodGroup):
    """Incidents as resources. `incident_id` takes an id or a number; all methods raise IncidentManagerError."""

    async def create_incident(  # noqa: PLR0913 - one argument a field
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
        request = pb.CreateIncidentRequest(
            source=source,
            request_id=request_id or calls.new_request_id(),
            title=title,
            description=description,
            severity=severity,
            incident_type=incident_type,
            kind=kind,
            labels=labels,
            service=service,
            provider=provider,
            dedup_key=dedup_key,
            assignees=assignees,
        )
        return (await self._caller.unary(self._incidents.CreateIncident, request)).incident

    async def get_incident(self, incident_id: str) -> pb.Incident:
        """An incident as it is now."""
        request = pb.GetIncidentRequest(incident_id=incident_id)
        return await self._caller.unary(self._incidents.GetIncident, request)

    async def update_incident(
        self, incident: pb.Incident, *, update_mask: Iterable[str] = (), actor: str = "", request_id: str = ""
    ) -> pb.Incident:
        """Takes the fields of the mask (all that are set when empty). `id` names the incident, `etag` guards it."""
        request = pb.UpdateIncidentRequest(
            incident=incident, request_id=request_id or calls.new_request_id(), actor=actor
        )
        if paths := list(update_mask):
            request.update_mask.paths.extend(paths)
        return await self._caller.unary(self._incidents.UpdateIncident, request)

    async def list_incidents(
        self,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",  # noqa: A002 - the contract's word
        order_by: str = "",
        page_size: int = 0,
        page_token: str = "",
        page: int = 0,
        search: str = "",
    ) -> pb.ListIncidentsResponse:
        """One page of the incidents that match. `search` is of words, all of which must occur; `laten*` begins one."""
        request = pb.ListIncidentsRequest(
            start=start,
            end=end,
            filter=filter,
            order_by=order_by,
            page_size=page_size,
            page_token=page_token,
            page=page,
            search=search,
        )
        return await self._caller.unary(self._incidents.ListIncidents, request)

    async def iter_incidents(
        self,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",  # noqa: A002 - the contract's word
        order_by: str = "",
        page_size: int = 100,
        search: str = "",
    ) -> AsyncGenerator[pb.Incident, None]:
        """All incidents that match, fetched page by page as they are taken."""
        token = ""
        while True:
            reply = await self.list_incidents(
                start=start,
                end=end,
                filter=filter,
                order_by=order_by,
                page_size=page_size,
                page_token=token,
                search=search,
            )
            for incident in reply.incidents:
                yield incident
            token = reply.pagination.next_page_token
            if not token:
                return

    async def stream_incidents(self, *, filter: str = "") -> AsyncGenerator[pb.Incident, None]:  # noqa: A002 - see above
        """The open incidents that match, then each one again as it changes; ends with the connection. See `watch`."""
        request = pb.StreamIncidentsRequest(filter=filter)
        async for incident in self._caller.stream(self._incidents.StreamIncidents, request):
            yield incident

    async def watch(
        self,
        *,
        filter: str = "",  # noqa: A002 - the contract's word
        resume_token: str = "",
        snapshot: bool = False,
        backoff: retry.Backoff | None = None,
    ) -> AsyncGenerator[pb.IncidentChange, None]:
        """Every change in commit order, for ever: reconnects by itself and continues where it was.

        Heartbeats and the server's going away are not shown. A cut before the first token repeats the snapshot.
        """
        pauses, failures, renewed = backoff or retry.Backoff(), 0, False
        while True:
            request = pb.WatchIncidentsRequest(
                filter=filter, resume_token=resume_token, snapshot=snapshot and not resume_token
            )
            error: errors.IncidentManagerError | None = None
            try:
                async with contextlib.aclosing(self._caller.stream(self._incidents.WatchIncidents, request)) as changes:
                    async for change in changes:
                        resume_token = change.resume_token or resume_token
                        failures, renewed = 0, False
                        if change.drain:
                            break
                        if not change.heartbeat:
                            yield change
            except errors.IncidentManagerError as failed:
                if not renewed and self._caller.renews(failed):
                    renewed = True  # once: another token that is refused as well is the caller's to know
                elif not retry.is_repeatable(failed) and failed.reason != "SLOW_SUBSCRIBER":
                    raise
                error = failed
            failures += 1
            after = error.retry_after if error is not None else None
            await asyncio.sleep(retry.wait_for(pauses, failures, after, retry.draw_jitter()))

    async def analyze_correlations(self, incident_id: str) -> pb.CorrelationResult:
        """Which incidents belong together."""
        request = pb.AnalyzeCorrelationsRequest(incident_id=incident_id)
        return await self._caller.unary(self._incidents.AnalyzeCorrelations, request)

    async def list_timeline(
        self, incident_id: str, *, page_size: int = 0, page_token: str = ""
    ) -> pb.ListTimelineResponse:
        """One page of what happened to an incident, oldest first."""
        request = pb.ListTimelineRequest(incident_id=incident_id, page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._incidents.ListTimeline, request)

    async def iter_timeline(self, incident_id: str, *, page_size: int = 100) -> AsyncGenerator[pb.TimelineEntry, None]:
        """All that happened to an incident, oldest first."""
        token = ""
        while True:
            reply = await self.list_timeline(incident_id, page_size=page_size, page_token=token)
            for entry in reply.entries:
                yield entry
            token = reply.next_page_token
            if not token:
                return

"""What detectors and guards have in common: reporting what they found, and saying that it is over."""

from collections.abc import Iterable

from llm_incident_client import pb
from llm_incident_client.core import calls
from llm_incident_client.findings import Finding


class ReportCalls(calls.MethodGroup):
    """Reporting findings under the client's `source`. All methods raise IncidentManagerError."""

    source: str

    async def report(self, finding: Finding, *, request_id: str = "") -> pb.SubmitEventResponse:
        """Reports one finding. It is durable when this returns; the reply names the incident it opened or joined."""
        request = pb.SubmitEventRequest(
            event=finding.event(self.source), request_id=request_id or calls.new_request_id()
        )
        return await self._caller.unary(self._ingest.SubmitEvent, request)

    async def report_all(self, findings: Iterable[Finding], *, request_id: str = "") -> pb.SubmitEventsResponse:
        """Reports up to 1,000 findings. A bad one is REJECTED in its result and does not spoil the others."""
        events = [finding.event(self.source) for finding in findings]
        request = pb.SubmitEventsRequest(events=events, request_id=request_id or calls.new_request_id())
        return await self._caller.unary(self._ingest.SubmitEvents, request)

    async def report_recovery(self, finding: Finding, *, request_id: str = "") -> pb.SubmitEventResponse:
        """Says that it is over: resolves the open incident that a finding of this kind, subject and wording opened.

        IGNORED, with the reason, when none is open.
        """
        request = pb.SubmitEventRequest(
            event=finding.recovery(self.source), request_id=request_id or calls.new_request_id()
        )
        return await self._caller.unary(self._ingest.SubmitEvent, request)

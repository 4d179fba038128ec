# Written by `make gen` from llm_incident_client/reporting.py: edit that file.
"""What detectors and guards have in common: reporting what they found, and saying that it is over."""

from collections.abc import Iterable

from llm_incident_client import pb
from llm_incident_client import reporting as asynchronous
from llm_incident_client.findings import Finding
from llm_incident_client.sync.blocking import Blocking


class ReportCalls(Blocking):
    """Reporting findings under the client's `source`. All methods raise IncidentManagerError."""

    def report(self, finding: Finding, *, request_id: str = "") -> pb.SubmitEventResponse:
        """Reports one finding. It is durable when this returns; the reply names the incident it opened or joined."""
        return self.portal.wait(self._as(asynchronous.ReportCalls).report(finding, request_id=request_id))

    def report_all(self, findings: Iterable[Finding], *, request_id: str = "") -> pb.SubmitEventsResponse:
        """Reports up to 1,000 findings. A bad one is REJECTED in its result and does not spoil the others."""
        return self.portal.wait(self._as(asynchronous.ReportCalls).report_all(list(findings), request_id=request_id))

    def report_recovery(self, finding: Finding, *, request_id: str = "") -> pb.SubmitEventResponse:
        """Says that it is over: resolves the open incident that a finding of this kind, subject and wording opened.

        IGNORED, with the reason, when none is open.
        """
        return self.portal.wait(self._as(asynchronous.ReportCalls).report_recovery(finding, request_id=request_id))

# Written by `make gen` from llm_incident_client/governance/calls.py: edit that file.
"""What LLM-Governance-Core asks of the manager. `AuditCalls` has the audit trail beside it."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from llm_incident_client import pb
from llm_incident_client.governance import calls as asynchronous
from llm_incident_client.governance.calls import LONG
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class GovernanceCalls(Blocking):
    """Queries for reports. Periods begin and end with a day, which counts whole, in UTC, or with a datetime, which
    needs a time zone and is exact. `filter` (AIP-160) narrows incidents, for instance `severity >= P1`. Frameworks are
    gdpr, hipaa, soc2, pci_dss, iso27001, or their usual names. All methods raise IncidentManagerError.
    """

    def incidents(
        self, start: date | datetime, end: date | datetime, *, filter: str = "", page_size: int = 100
    ) -> Items[pb.Incident]:
        """All incidents opened in a period, oldest first, fetched page by page as they are taken."""
        return Items(
            self, self._as(asynchronous.GovernanceCalls).incidents(start, end, filter=filter, page_size=page_size)
        )

    def timeline(self, incident_id: str) -> list[pb.TimelineEntry]:
        """All that happened to an incident, oldest first: who did what and when."""
        return self.portal.wait(self._as(asynchronous.GovernanceCalls).timeline(incident_id))

    def compliance(
        self, start: date | datetime, end: date | datetime, *, deadline: timedelta = LONG
    ) -> Mapping[str, pb.FrameworkFigures]:
        """How each framework stands in a period: passed, failed or not applicable, and how many lines of each."""
        return self.portal.wait(self._as(asynchronous.GovernanceCalls).compliance(start, end, deadline=deadline))

    def check(
        self,
        framework: str,
        start: date | datetime,
        end: date | datetime,
        *,
        filter: str = "",
        deadline: timedelta = LONG,
    ) -> pb.ComplianceReport:
        """Holds the incidents of a period against a framework, line by line, each with its evidence.

        What has no evidence has failed. Passing is no certificate.
        """
        return self.portal.wait(
            self._as(asynchronous.GovernanceCalls).check(framework, start, end, filter=filter, deadline=deadline)
        )

    def report(
        self,
        framework: str,
        start: date | datetime,
        end: date | datetime,
        *,
        format: pb.ReportFormat.ValueType = pb.ReportFormat.REPORT_FORMAT_JSON,
        filter: str = "",
        deadline: timedelta = LONG,
    ) -> pb.GenerateReportResponse:
        """The same as a document (JSON, CSV, Markdown, HTML) with its SHA-256. The same records give the same bytes."""
        return self.portal.wait(
            self._as(asynchronous.GovernanceCalls).report(
                framework, start, end, format=format, filter=filter, deadline=deadline
            )
        )

    def evidence(self, evidence_id: str) -> pb.Evidence:
        """The very record that a line of a report names."""
        return self.portal.wait(self._as(asynchronous.GovernanceCalls).evidence(evidence_id))

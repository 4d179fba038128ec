"""What LLM-Governance-Core asks of the manager. `AuditCalls` has the audit trail beside it."""

from collections.abc import AsyncGenerator, Mapping
from datetime import date, datetime, timedelta

from llm_incident_client import pb
from llm_incident_client.compliance import ComplianceCalls
from llm_incident_client.core import calls
from llm_incident_client.incidents import IncidentCalls

LONG: timedelta = timedelta(minutes=2)
"""What a report over many incidents may take."""


class GovernanceCalls(calls.MethodGroup):
    """Queries for reports. Periods begin and end with a day, which counts whole, in UTC, or with a datetime, which
    needs a time zone and is exact. `filter` (AIP-160) narrows incidents, for instance `severity >= P1`. Frameworks are
    gdpr, hipaa, soc2, pci_dss, iso27001, or their usual names. All methods raise IncidentManagerError.
    """

    async def incidents(
        self,
        start: date | datetime,
        end: date | datetime,
        *,
        filter: str = "",  # noqa: A002 - the contract's word
        page_size: int = 100,
    ) -> AsyncGenerator[pb.Incident, None]:
        """All incidents opened in a period, oldest first, fetched page by page as they are taken."""
        found = IncidentCalls(self._caller).iter_incidents(
            start=_moment(start), end=_moment(end), filter=filter, order_by="create_time", page_size=page_size
        )
        async for incident in found:
            yield incident

    async def timeline(self, incident_id: str) -> list[pb.TimelineEntry]:
        """All that happened to an incident, oldest first: who did what and when."""
        return [entry async for entry in IncidentCalls(self._caller).iter_timeline(incident_id)]

    async def compliance(
        self, start: date | datetime, end: date | datetime, *, deadline: timedelta = LONG
    ) -> Mapping[str, pb.FrameworkFigures]:
        """How each framework stands in a period: passed, failed or not applicable, and how many lines of each."""
        asked = ComplianceCalls(self._caller)
        reply = await asked.get_governance_metrics(start=_moment(start), end=_moment(end), deadline=deadline)
        return {figures.framework: figures for figures in reply.frameworks}

    async def check(
        self,
        framework: str,
        start: date | datetime,
        end: date | datetime,
        *,
        filter: str = "",  # noqa: A002 - as above
        deadline: timedelta = LONG,
    ) -> pb.ComplianceReport:
        """Holds the incidents of a period against a framework, line by line, each with its evidence.

        What has no evidence has failed. Passing is no certificate.
        """
        asked = ComplianceCalls(self._caller)
        return await asked.check_compliance(
            framework, start=_moment(start), end=_moment(end), filter=filter, deadline=deadline
        )

    async def report(
        self,
        framework: str,
        start: date | datetime,
        end: date | datetime,
        *,
        format: pb.ReportFormat.ValueType = pb.ReportFormat.REPORT_FORMAT_JSON,  # noqa: A002 - as above
        filter: str = "",  # noqa: A002 - as above
        deadline: timedelta = LONG,
    ) -> pb.GenerateReportResponse:
        """The same as a document (JSON, CSV, Markdown, HTML) with its SHA-256. The same records give the same bytes."""
        asked = ComplianceCalls(self._caller)
        return await asked.generate_report(
            framework, start=_moment(start), end=_moment(end), filter=filter, format=format, deadline=deadline
        )

    async def evidence(self, evidence_id: str) -> pb.Evidence:
        """The very record that a line of a report names."""
        return await ComplianceCalls(self._caller).get_evidence(evidence_id)


def _moment(given: date | datetime) -> str:
    """As the contract writes it. Raises ValueError for a datetime without a time zone."""
    if isinstance(given, datetime) and given.tzinfo is None:
        raise ValueError(f"{given.isoformat()} has no time zone: add one, for instance tzinfo=UTC, or give a date")
    return given.isoformat()

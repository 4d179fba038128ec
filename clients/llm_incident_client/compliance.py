"""The methods of GovernanceService: what the records of the own tenant show for the controls of a framework."""

from datetime import timedelta

from llm_incident_client import pb
from llm_incident_client.core import calls


class ComplianceCalls(calls.MethodGroup):
    """Frameworks go by their ids (gdpr, hipaa, soc2, pci_dss, iso27001) or usual names such as "SOC 2". All methods
    raise IncidentManagerError. Passing is no certificate."""

    async def list_frameworks(self, framework: str = "") -> pb.ListFrameworksResponse:
        """The frameworks with their controls, or only this one."""
        return await self._caller.unary(self._governance.ListFrameworks, pb.ListFrameworksRequest(framework=framework))

    async def check_compliance(
        self,
        framework: str,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",  # noqa: A002 - the contract's word
        deadline: timedelta | None = None,
    ) -> pb.ComplianceReport:
        """Holds the incidents of a period, and the system, against a framework; 30 days without a `start`."""
        request = pb.CheckComplianceRequest(framework=framework, start=start, end=end, filter=filter)
        return (await self._caller.unary(self._governance.CheckCompliance, request, deadline)).report

    async def generate_report(
        self,
        framework: str,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",  # noqa: A002 - as above
        format: pb.ReportFormat.ValueType = pb.ReportFormat.REPORT_FORMAT_JSON,  # noqa: A002 - as above
        deadline: timedelta | None = None,
    ) -> pb.GenerateReportResponse:
        """The same as a document. The same records give the same bytes."""
        request = pb.GenerateReportRequest(framework=framework, start=start, end=end, filter=filter, format=format)
        return await self._caller.unary(self._governance.GenerateReport, request, deadline)

    async def get_evidence(self, evidence_id: str) -> pb.Evidence:
        """The record that a line of a report names."""
        request = pb.GetEvidenceRequest(evidence_id=evidence_id)
        return (await self._caller.unary(self._governance.GetEvidence, request)).evidence

    async def get_governance_metrics(
        self, *, start: str = "", end: str = "", deadline: timedelta | None = None
    ) -> pb.GetGovernanceMetricsResponse:
        """How many lines of each framework passed and failed."""
        request = pb.GetGovernanceMetricsRequest(start=start, end=end)
        return await self._caller.unary(self._governance.GetGovernanceMetrics, request, deadline)

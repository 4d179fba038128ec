# Written by `make gen` from llm_incident_client/compliance.py: edit that file.
"""The methods of GovernanceService: what the records of the own tenant show for the controls of a framework."""

from datetime import timedelta

from llm_incident_client import compliance as asynchronous
from llm_incident_client import pb
from llm_incident_client.sync.blocking import Blocking


class ComplianceCalls(Blocking):
    """Frameworks go by their ids (gdpr, hipaa, soc2, pci_dss, iso27001) or usual names such as "SOC 2". All methods
    raise IncidentManagerError. Passing is no certificate.
    """

    def list_frameworks(self, framework: str = "") -> pb.ListFrameworksResponse:
        """The frameworks with their controls, or only this one."""
        return self.portal.wait(self._as(asynchronous.ComplianceCalls).list_frameworks(framework))

    def check_compliance(
        self, framework: str, *, start: str = "", end: str = "", filter: str = "", deadline: timedelta | None = None
    ) -> pb.ComplianceReport:
        """Holds the incidents of a period, and the system, against a framework; 30 days without a `start`."""
        return self.portal.wait(
            self._as(asynchronous.ComplianceCalls).check_compliance(
                framework, start=start, end=end, filter=filter, deadline=deadline
            )
        )

    def generate_report(
        self,
        framework: str,
        *,
        start: str = "",
        end: str = "",
        filter: str = "",
        format: pb.ReportFormat.ValueType = pb.ReportFormat.REPORT_FORMAT_JSON,
        deadline: timedelta | None = None,
    ) -> pb.GenerateReportResponse:
        """The same as a document. The same records give the same bytes."""
        return self.portal.wait(
            self._as(asynchronous.ComplianceCalls).generate_report(
                framework, start=start, end=end, filter=filter, format=format, deadline=deadline
            )
        )

    def get_evidence(self, evidence_id: str) -> pb.Evidence:
        """The record that a line of a report names."""
        return self.portal.wait(self._as(asynchronous.ComplianceCalls).get_evidence(evidence_id))

    def get_governance_metrics(
        self, *, start: str = "", end: str = "", deadline: timedelta | None = None
    ) -> pb.GetGovernanceMetricsResponse:
        """How many lines of each framework passed and failed."""
        return self.portal.wait(
            self._as(asynchronous.ComplianceCalls).get_governance_metrics(start=start, end=end, deadline=deadline)
        )

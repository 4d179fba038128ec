"""GovernanceService: holds the records of the caller's tenant against compliance frameworks, and shows them."""

from collections.abc import Callable
from typing import Any

from incidentmanager.v1 import governance_service_pb2

from llm_incident_manager.domain.compliance import Framework, Period, Report
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.domain.time import DAY, Instant
from llm_incident_manager.transport import documents, paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import lists
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import compliance as translate
from llm_incident_manager.transport.translate import times
from llm_incident_manager.usecases.compliance import Wish

pb = governance_service_pb2

USUAL = 30 * DAY
"""The period that is told no start."""


class GovernanceHandlers:
    """The methods of GovernanceService."""

    def __init__(self, services: Services) -> None:
        """Asks these use cases."""
        self._on = services
        self._compliance = services.compliance

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "ListFrameworks": self.list_frameworks,
            "CheckCompliance": self.check,
            "GenerateReport": self.generate,
            "GetEvidence": self.evidence,
            "GetGovernanceMetrics": self.metrics,
        }

    async def list_frameworks(self, request: pb.ListFrameworksRequest, _: Call) -> pb.ListFrameworksResponse:
        """The frameworks, or one of them."""
        named = request.framework.strip()
        found = [self._compliance.framework(named)] if named else self._compliance.frameworks
        return pb.ListFrameworksResponse(frameworks=[translate.framework(each) for each in found])

    async def check(self, request: pb.CheckComplianceRequest, call: Call) -> pb.CheckComplianceResponse:
        """A report."""
        return pb.CheckComplianceResponse(report=translate.report(await self._report(request, call)))

    async def generate(self, request: pb.GenerateReportRequest, call: Call) -> pb.GenerateReportResponse:
        """A report as a document."""
        return documents.write(await self._report(request, call), request.format)

    async def evidence(self, request: pb.GetEvidenceRequest, call: Call) -> pb.GetEvidenceResponse:
        """The record that a report names."""
        name = request.evidence_id
        record = await self._compliance.records.get(call.caller, name)
        return pb.GetEvidenceResponse(evidence=translate.evidence(name, record, self._on.as_of()))

    async def metrics(self, request: pb.GetGovernanceMetricsRequest, call: Call) -> pb.GetGovernanceMetricsResponse:
        """How many lines of each framework passed and failed."""
        wish = self._wish(request.start, request.end, "")
        reports = await self._compliance.check(call.caller, self._compliance.frameworks, wish)
        return pb.GetGovernanceMetricsResponse(
            frameworks=[translate.figures(each) for each in reports],
            start_time=times.timestamp(wish.period.start),
            end_time=times.timestamp(wish.period.end),
        )

    async def _report(self, request: Any, call: Call) -> Report:
        framework: Framework = self._compliance.framework(request.framework)
        wish = self._wish(request.start, request.end, request.filter)
        (report,) = await self._compliance.check(call.caller, [framework], wish)
        return report

    def _wish(self, start: str, end: str, text: str) -> Wish:
        span, matching = paging.span_of(start, end), lists.parsed_filter(text)
        before = span.created_before if span.created_before is not None else Instant(self._on.clock.now() + 1)
        since = span.created_from if span.created_from is not None else Instant(max(0, before - USUAL))
        if since >= before:
            text = f"start: {start!r} is not before the end of the period: give one that is earlier"
            raise InvalidFields([Violation("start", text, "span.order")])
        return Wish(Period(since, before, "" if matching is None else matching.text), matching)

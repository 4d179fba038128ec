"""What a Governance does at the least: finds the controls an incident touches, and fails those without evidence."""

from typing import Any, NamedTuple

from incidentmanager.v1 import analysis_pb2, severity_pb2
from incidentmanager.v1 import governance_evaluation_service_pb2 as pb
from incidentmanager.v1.governance_evaluation_service_pb2_grpc import GovernanceEvaluationServiceServicer


class Control(NamedTuple):
    """A control of a framework, and the label of the incident that is its evidence."""

    framework: str
    name: str
    evidence: str
    severity: analysis_pb2.RiskLevel.ValueType
    remedy: str


CONTROLS = (
    Control("GDPR", "GDPR-001", "notification_sent", analysis_pb2.RISK_LEVEL_CRITICAL, "Notify within 72 hours"),
    Control("GDPR", "GDPR-002", "data_subject_rights_protected", analysis_pb2.RISK_LEVEL_HIGH, "Answer requests"),
    Control("HIPAA", "HIPAA-001", "data_encrypted", analysis_pb2.RISK_LEVEL_CRITICAL, "Encrypt what is stored"),
    Control("PCI", "PCI-001", "pci_compliant_storage", analysis_pb2.RISK_LEVEL_CRITICAL, "Move cardholder data"),
    Control("SOC2", "SOC2-001", "incident_response_plan_executed", analysis_pb2.RISK_LEVEL_HIGH, "Follow the plan"),
    Control(
        "ISO27001", "ISO27001-001", "security_controls_implemented", analysis_pb2.RISK_LEVEL_HIGH, "Implement them"
    ),
)
APPLIES = {"gdpr": "GDPR", "pii": "GDPR", "hipaa": "HIPAA", "phi": "HIPAA", "pci": "PCI", "payment": "PCI"}
"""Labels by which a framework applies; SOC2 applies to what has none of them."""


class Governance(GovernanceEvaluationServiceServicer):
    """Serves GovernanceEvaluationService."""

    async def EvaluateCompliance(  # noqa: N802
        self,
        request: pb.EvaluateComplianceRequest,
        context: Any,  # noqa: ANN401, ARG002
    ) -> pb.EvaluateComplianceResponse:
        """A control without evidence is broken."""
        labels = request.incident.labels
        wanted = set(request.frameworks) or {name for label, name in APPLIES.items() if label in labels} or {"SOC2"}
        found = [finding(each, labels.get(each.evidence)) for each in CONTROLS if each.framework in wanted]
        broken = [each for each in found if not each.compliant]
        critical = any(each.severity == analysis_pb2.RISK_LEVEL_CRITICAL for each in broken)
        return pb.EvaluateComplianceResponse(
            evaluation=analysis_pb2.ComplianceEvaluation(
                compliant=not broken,
                controls=found,
                confidence=1.0 if found else 0.0,
                recommended_severity=severity_pb2.SEVERITY_P1 if critical else 0,  # type: ignore[arg-type]
                summary=f"{len(broken)} of {len(found)} controls broken: {', '.join(each.control for each in broken)}"
                if broken
                else f"{len(found)} controls kept",
            )
        )


def finding(control: Control, evidence: str | None) -> analysis_pb2.ControlFinding:
    """Whether a control is kept: only when the evidence says so."""
    kept = evidence == "true"
    text = f"{control.evidence} is {evidence}" if evidence else f"there is no evidence: {control.evidence}"
    return analysis_pb2.ControlFinding(
        framework=control.framework,
        control=control.name,
        compliant=kept,
        severity=control.severity,
        description=text,
        remediation="" if kept else control.remedy,
    )

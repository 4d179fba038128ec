"""What a Shield does at the least: knows kinds of attacks, and what is done against them."""

from typing import Any

from incidentmanager.v1 import analysis_pb2, severity_pb2
from incidentmanager.v1 import shield_analysis_service_pb2 as pb
from incidentmanager.v1.shield_analysis_service_pb2_grpc import ShieldAnalysisServiceServicer

THREATS = {
    "prompt_injection": analysis_pb2.THREAT_TYPE_PROMPT_INJECTION,
    "jailbreak": analysis_pb2.THREAT_TYPE_JAILBREAK,
    "data_leakage": analysis_pb2.THREAT_TYPE_DATA_BREACH,
    "data_exfiltration": analysis_pb2.THREAT_TYPE_DATA_BREACH,
    "policy_violation": analysis_pb2.THREAT_TYPE_POLICY_VIOLATION,
    "privilege_escalation": analysis_pb2.THREAT_TYPE_PRIVILEGE_ESCALATION,
}
"""By the first word of the reported kind."""
WORSE = {"success_confirmed": 0.5, "tool_executed": 0.25, "cross_tenant": 0.25}
"""Facts of the event, and how much worse each makes it."""


class Shield(ShieldAnalysisServiceServicer):
    """Serves ShieldAnalysisService."""

    async def AnalyzeThreat(self, request: pb.AnalyzeThreatRequest, context: Any) -> pb.AnalyzeThreatResponse:  # noqa: ANN401, ARG002, N802
        """A kind it knows is a threat it is sure of."""
        threat, score = threat_of(request.incident.kind), score_of(request.event)
        known = threat != analysis_pb2.THREAT_TYPE_UNSPECIFIED
        signature = request.incident.labels.get("attack_signature", "")
        name = analysis_pb2.ThreatType.Name(threat).removeprefix("THREAT_TYPE_").replace("_", " ").lower()
        return pb.AnalyzeThreatResponse(
            analysis=analysis_pb2.ThreatAnalysis(
                threat_type=threat,
                risk_level=level(score),
                confidence=0.9 if known else 0.3,
                indicators=[signature] if signature else [],
                factors=[
                    analysis_pb2.AnalysisFactor(
                        name=fact, value=1, contribution=worse, description=f"{fact} is reported"
                    )
                    for fact, worse in WORSE.items()
                    if request.event.attributes.get(fact)
                ],
                recommended_severity=severity_pb2.SEVERITY_P0 if known and score >= 0.75 else 0,  # type: ignore[arg-type]
                summary=f"{name} from {request.incident.source}" if known else "no threat that is known here",
            )
        )

    async def AssessRisk(self, request: pb.AssessRiskRequest, context: Any) -> pb.AssessRiskResponse:  # noqa: ANN401, ARG002, N802
        """By what the event says has happened."""
        score = score_of(request.event)
        summary = f"risk {score:.2f} of 1"
        return pb.AssessRiskResponse(
            assessment=analysis_pb2.RiskAssessment(
                risk_level=level(score), score=score, confidence=0.8, summary=summary
            )
        )

    async def GenerateMitigationPlan(  # noqa: N802
        self,
        request: pb.GenerateMitigationPlanRequest,
        context: Any,  # noqa: ANN401, ARG002
    ) -> pb.GenerateMitigationPlanResponse:
        """Blocks, looks closer, and takes access away where somebody got through."""
        steps = [step("block_source", request.incident.source, "Block what the attack came through")]
        steps.append(step("tighten_policy", request.event.policy or "guardrail", "Refuse what looks like it"))
        if score_of(request.event) >= 0.5:
            steps.append(step("revoke_credentials", request.incident.application, "It got through", destructive=True))
        plan = analysis_pb2.MitigationPlan(steps=steps, confidence=0.8, summary=f"{len(steps)} steps")
        return pb.GenerateMitigationPlanResponse(plan=plan)


def threat_of(kind: str) -> analysis_pb2.ThreatType.ValueType:
    """The threat of a reported kind."""
    return THREATS.get(kind.split(".", maxsplit=1)[0], analysis_pb2.THREAT_TYPE_UNSPECIFIED)


def score_of(event: Any) -> float:  # noqa: ANN401  # the contract's event
    """How bad it is, from 0 to 1."""
    return min(1.0, 0.25 + sum(worse for fact, worse in WORSE.items() if event.attributes.get(fact)))


def level(score: float) -> analysis_pb2.RiskLevel.ValueType:
    """The word for it."""
    if score >= 0.75:
        return analysis_pb2.RISK_LEVEL_CRITICAL
    return analysis_pb2.RISK_LEVEL_HIGH if score >= 0.5 else analysis_pb2.RISK_LEVEL_MEDIUM


def step(action: str, target: str, text: str, *, destructive: bool = False) -> analysis_pb2.MitigationStep:
    """One thing to do."""
    priority = analysis_pb2.RISK_LEVEL_HIGH
    return analysis_pb2.MitigationStep(
        action=action, target=target, description=text, priority=priority, destructive=destructive
    )

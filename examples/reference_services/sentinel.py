"""What a Sentinel does at the least: holds measured values against baselines."""

from typing import Any

from incidentmanager.v1 import analysis_pb2, severity_pb2
from incidentmanager.v1 import sentinel_analysis_service_pb2 as pb
from incidentmanager.v1.sentinel_analysis_service_pb2_grpc import SentinelAnalysisServiceServicer

BASELINES = {
    "latency_p95_seconds": 2.0,
    "latency_p99_seconds": 4.0,
    "error_rate": 0.01,
    "drift_score": 0.1,
    "hallucination_rate": 0.02,
    "cost_usd_per_hour": 10.0,
}
"""What is usual."""
FAR = 5.0
"""A value of so many times its baseline is as far off as anything can be."""
ANOMALOUS = 0.25


class Sentinel(SentinelAnalysisServiceServicer):
    """Serves SentinelAnalysisService."""

    async def AnalyzeAnomaly(self, request: pb.AnalyzeAnomalyRequest, context: Any) -> pb.AnalyzeAnomalyResponse:  # noqa: ANN401, ARG002, N802
        """Every measured value with a baseline is a factor; the one farthest off decides."""
        factors = sorted(
            (factor(name, value) for name, value in request.event.metrics.items() if name in BASELINES),
            key=lambda each: (-each.contribution, each.name),
        )
        worst = factors[0].contribution if factors else 0.0
        anomalous = worst >= ANOMALOUS
        sort = (request.incident.kind or "unknown") if anomalous else ""
        analysis = analysis_pb2.AnomalyAnalysis(
            is_anomalous=anomalous,
            confidence=round(0.5 + 0.5 * abs(worst), 3) if factors else 0.0,
            anomaly_type=sort,
            factors=factors,
            recommended_severity=severity(worst) if anomalous else severity_pb2.SEVERITY_UNSPECIFIED,
            summary=f"{sort}: {factors[0].description}" if anomalous else "nothing that is measured is far off",
        )
        return pb.AnalyzeAnomalyResponse(analysis=analysis)


def factor(name: str, value: float) -> analysis_pb2.AnalysisFactor:
    """How far a value is off: 0 at its baseline, 1 at `FAR` times that, negative below it."""
    baseline = BASELINES[name]
    off = max(-1.0, min(1.0, (value / baseline - 1) / (FAR - 1)))
    text = f"{name} is {value:g}, usual is {baseline:g}"
    return analysis_pb2.AnalysisFactor(name=name, value=value, contribution=round(off, 3), description=text)


def severity(off: float) -> severity_pb2.Severity.ValueType:
    """The severity for how far the worst value is off."""
    if off >= 1:
        return severity_pb2.SEVERITY_P0
    return severity_pb2.SEVERITY_P1 if off >= 0.5 else severity_pb2.SEVERITY_P2

"""The messages of analyses; use them as `pb.IncidentAnalysis` and so on."""

from incidentmanager.v1.analysis_pb2 import (
    AnalysisFactor,
    AnalysisQuestion,
    AnalysisState,
    AnomalyAnalysis,
    ComplianceEvaluation,
    ControlFinding,
    IncidentAnalysis,
    MitigationPlan,
    MitigationStep,
    RiskAssessment,
    RiskLevel,
    SeverityAlternative,
    ThreatAnalysis,
    ThreatType,
)
from incidentmanager.v1.incident_analyses_pb2 import (
    ListIncidentAnalysesRequest,
    ListIncidentAnalysesResponse,
    RequestAnalysisRequest,
    RequestAnalysisResponse,
)

__all__ = [
    "AnalysisFactor",
    "AnalysisQuestion",
    "AnalysisState",
    "AnomalyAnalysis",
    "ComplianceEvaluation",
    "ControlFinding",
    "IncidentAnalysis",
    "ListIncidentAnalysesRequest",
    "ListIncidentAnalysesResponse",
    "MitigationPlan",
    "MitigationStep",
    "RequestAnalysisRequest",
    "RequestAnalysisResponse",
    "RiskAssessment",
    "RiskLevel",
    "SeverityAlternative",
    "ThreatAnalysis",
    "ThreatType",
]

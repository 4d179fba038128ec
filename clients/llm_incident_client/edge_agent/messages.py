"""The messages of an Edge-Agent's session under short names. Adds nothing to the generated code."""

from incidentmanager.v1.directive_pb2 import (
    Directive,
    DirectiveAction,
    DirectiveParameters,
    DirectiveState,
    DirectiveTarget,
)
from incidentmanager.v1.edge_agent_pb2 import EdgeAgentCapabilities, EdgeAgentTelemetry, ResourceSnapshot
from incidentmanager.v1.edge_inference_pb2 import (
    InferencePriority,
    InferenceRequest,
    InferenceResult,
    InferenceStatus,
)
from incidentmanager.v1.edge_session_pb2 import (
    ConfigurationApplied,
    DirectiveCommand,
    DirectiveOrder,
    DirectiveReport,
    DirectiveReported,
    EdgeAgentConfiguration,
    EdgeAgentHeartbeat,
    EdgeAgentRegistration,
    ResumePoint,
    SessionRegistered,
    SessionRequest,
    SessionResponse,
)

__all__ = [
    "ConfigurationApplied",
    "Directive",
    "DirectiveAction",
    "DirectiveCommand",
    "DirectiveOrder",
    "DirectiveParameters",
    "DirectiveReport",
    "DirectiveReported",
    "DirectiveState",
    "DirectiveTarget",
    "EdgeAgentCapabilities",
    "EdgeAgentConfiguration",
    "EdgeAgentHeartbeat",
    "EdgeAgentRegistration",
    "EdgeAgentTelemetry",
    "InferencePriority",
    "InferenceRequest",
    "InferenceResult",
    "InferenceStatus",
    "ResourceSnapshot",
    "ResumePoint",
    "SessionRegistered",
    "SessionRequest",
    "SessionResponse",
]

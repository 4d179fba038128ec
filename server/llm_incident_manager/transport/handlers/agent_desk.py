"""What handlers of Edge-Agents ask."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from incidentmanager.v1 import edge_session_pb2

from llm_incident_manager.usecases.agent_desk import AgentDesk
from llm_incident_manager.usecases.agent_watch import AgentWatch
from llm_incident_manager.usecases.directives import Directives


@dataclass(frozen=True, slots=True)
class AgentServices:
    """The use cases about Edge-Agents, and how agents are configured."""

    desk: AgentDesk
    watch: AgentWatch
    directives: Directives
    configuration: edge_session_pb2.EdgeAgentConfiguration


def configuration(settings: Mapping[str, str], telemetry_seconds: float) -> edge_session_pb2.EdgeAgentConfiguration:
    """How agents are configured; the version says what it is, so that all processes with these settings agree."""
    said = json.dumps([sorted(settings.items()), telemetry_seconds]).encode()
    interval = Duration()
    interval.FromNanoseconds(int(telemetry_seconds * 1e9))
    version = hashlib.sha256(said).hexdigest()[:12]
    return edge_session_pb2.EdgeAgentConfiguration(version=version, settings=settings, telemetry_interval=interval)

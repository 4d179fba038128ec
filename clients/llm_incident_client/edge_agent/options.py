"""How an agent is set up, as values. `settings` reads them from a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llm_incident_client.core.channel import ChannelOptions
from llm_incident_client.edge_agent.directives.limits import DeskOptions
from llm_incident_client.edge_agent.models.running import ModelLimits
from llm_incident_client.edge_agent.spool import Limits


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """Who the agent is, where the manager is, and where it keeps what must not be lost.

    `data` belongs to one process at a time. `grace` is how many seconds a stop may wait for acknowledgements.
    `revert_on_stop` undoes directives when the agent ends in good order; otherwise the next process goes on with them.
    """

    agent_id: str
    data: Path
    server: ChannelOptions = field(default_factory=ChannelOptions)
    display_name: str = ""
    service: str = ""
    environment: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    spool: Limits = field(default_factory=Limits)
    directives: DeskOptions = field(default_factory=DeskOptions)
    revert_on_stop: bool = False
    models: ModelLimits = field(default_factory=ModelLimits)
    telemetry_seconds: float = 15.0
    grace: float = 5.0
    pause: float = 30.0

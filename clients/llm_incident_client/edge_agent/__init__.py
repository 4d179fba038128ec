"""Edge-Agents: programs near the traffic of language models that report events, and obey directives for a while.

`EdgeAgent` is the whole of it as a library, `llm-edge-agent` as a process, `EdgeAgentClient` the session alone.
All but the last need the extra `edge-agent`.
"""

from typing import TYPE_CHECKING

from llm_incident_client.edge_agent.client import EdgeAgentClient
from llm_incident_client.edge_agent.session import AgentSession, Ignoring, Listener

if TYPE_CHECKING:
    from llm_incident_client.edge_agent.agent import EdgeAgent
    from llm_incident_client.edge_agent.options import AgentOptions

__all__ = ["AgentOptions", "AgentSession", "EdgeAgent", "EdgeAgentClient", "Ignoring", "Listener"]


def __getattr__(name: str) -> object:
    """What needs the extra is imported when it is asked for."""
    if name == "EdgeAgent":
        from llm_incident_client.edge_agent.agent import EdgeAgent

        return EdgeAgent
    if name == "AgentOptions":
        from llm_incident_client.edge_agent.options import AgentOptions

        return AgentOptions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

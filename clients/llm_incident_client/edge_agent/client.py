"""EdgeAgentClient: the session of an agent for programs that want to hold it themselves."""

from llm_incident_client import pb_agents as msg
from llm_incident_client.core.connection import Connection
from llm_incident_client.core.options import StreamOptions
from llm_incident_client.core.session import Call
from llm_incident_client.edge_agent.session import AgentSession, Ignoring, Listener
from llm_incident_client.ingest import IngestCalls

_SESSION = "/incidentmanager.v1.EdgeAgentService/Session"


class EdgeAgentClient(IngestCalls, Connection):
    """A connection of an Edge-Agent to the manager:

    async with EdgeAgentClient(options) as client, client.session(registration, listener) as session: ...

    `EdgeAgent` adds what most programs want besides: a spool on disk, directives that are applied at most once and
    reverted in time, models, health.
    """

    def session(
        self,
        registration: msg.EdgeAgentRegistration,
        listener: Listener | None = None,
        options: StreamOptions | None = None,
    ) -> AgentSession:
        """The agent's session. Enter it to connect; send events as on an event stream; `listener` hears the manager.

        `registration` needs an agent_id; keep it across restarts.
        """
        return AgentSession(self._connect, registration, listener or Ignoring(), options)

    async def _connect(self) -> Call:
        return await self._caller.both_ways(_SESSION, msg.SessionResponse.FromString)

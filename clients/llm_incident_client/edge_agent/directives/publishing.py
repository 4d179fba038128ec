"""A handler for agents that stand beside a proxy: it obeys by showing what holds, and the proxy asks for it."""

from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent.directives.handling import Handler, Undo


class Publish(Handler):
    """What holds is in the agent's `GET /v1/directives` as long as it holds: there is nothing else to do."""

    async def apply(self, directive: msg.Directive, undo: Undo) -> None:
        """It holds, so it is shown."""

    async def revert(self, directive: msg.Directive, undo: Undo) -> None:
        """It holds no more, so it is shown no more."""

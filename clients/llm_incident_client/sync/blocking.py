"""What the generated methods of the blocking client stand on."""

from llm_incident_client.client import IncidentClient as AsyncClient
from llm_incident_client.sync.portal import Portal


class Blocking:
    """An asynchronous client in a thread of its own."""

    def __init__(self, portal: Portal[AsyncClient]) -> None:
        """`portal` leads to that thread."""
        self.portal = portal

    @property
    def _async(self) -> AsyncClient:
        """The client whose methods make coroutines for the portal."""
        return self.portal.resource

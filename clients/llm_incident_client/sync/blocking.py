"""What the generated methods of the blocking clients stand on."""

from typing import TypeVar

from llm_incident_client.core.connection import Connection
from llm_incident_client.sync.portal import Portal

GroupT = TypeVar("GroupT")


class Blocking:
    """An asynchronous client in a thread of its own."""

    def __init__(self, portal: Portal[Connection]) -> None:
        """`portal` leads to that thread."""
        self.portal = portal

    def _as(self, group: type[GroupT]) -> GroupT:
        """The client as one of the groups of methods that it is made of, which make coroutines for the portal."""
        assert isinstance(self.portal.resource, group)
        return self.portal.resource

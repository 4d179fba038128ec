"""Roles: what one process of a deployment does. A process may have several; together the processes need all."""

from enum import StrEnum


class Role(StrEnum):
    """A part of the work that can have processes of its own."""

    API = "api"
    """Answers calls over gRPC and HTTP, accepts events, and feeds watchers."""
    CLASSIFY = "classify"
    """Judges, enriches and correlates incidents after the commit."""
    ROUTE = "route"
    """Decides who is told, and does what is due at a moment."""
    NOTIFY = "notify"
    """Tells people."""
    ACT = "act"
    """Runs playbooks."""


ALL = tuple(Role)

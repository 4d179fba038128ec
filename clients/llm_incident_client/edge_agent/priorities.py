"""Which events a full spool keeps longest."""

from llm_incident_client import pb
from llm_incident_client.edge_agent.spool import Priority

_HIGH = frozenset({"P0", "P1", "SEV0", "SEV1", "CRITICAL", "HIGH", "MAJOR", "FATAL", "EMERGENCY"})
_LOW = frozenset({"P3", "P4", "SEV3", "SEV4", "LOW", "MINOR", "INFO", "NONE", "DEBUG"})


def priority_of(event: pb.Event) -> Priority:
    """By its severity's word; what acts on an incident is as important as what opens a grave one."""
    severity = event.severity.strip().upper()
    if severity in _HIGH or event.action in {pb.Action.ACTION_RESOLVE, pb.Action.ACTION_ACKNOWLEDGE}:
        return Priority.HIGH
    return Priority.LOW if severity in _LOW else Priority.NORMAL

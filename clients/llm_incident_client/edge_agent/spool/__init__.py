"""The spool: events that were accepted from a program, kept on disk until the manager has acknowledged them.

What `put` accepted survives a killed process and a power cut; it is read again in the order in which it came; what a
full spool gives up is counted to the last event.
"""

from llm_incident_client.edge_agent.spool.limits import Limits, Priority, SpoolBroken, SpoolFull
from llm_incident_client.edge_agent.spool.log import SpoolInUse, SpoolLog
from llm_incident_client.edge_agent.spool.records import UnknownFile
from llm_incident_client.edge_agent.spool.spool import Counts, Spool

__all__ = ["Counts", "Limits", "Priority", "Spool", "SpoolBroken", "SpoolFull", "SpoolInUse", "SpoolLog", "UnknownFile"]

# Written by `make gen` from llm_incident_client/client.py.
"""Every method of the asynchronous client, as one that waits."""

from llm_incident_client.sync.methods.access import AccessCalls
from llm_incident_client.sync.methods.admin import AdminCalls
from llm_incident_client.sync.methods.agents import AgentCalls
from llm_incident_client.sync.methods.audit import AuditCalls
from llm_incident_client.sync.methods.incidents import IncidentCalls
from llm_incident_client.sync.methods.ingest import IngestCalls
from llm_incident_client.sync.methods.relations import RelationCalls
from llm_incident_client.sync.methods.sets import SetCalls
from llm_incident_client.sync.methods.verbs import VerbCalls


class Methods(
    IngestCalls, IncidentCalls, VerbCalls, RelationCalls, SetCalls, AdminCalls, AccessCalls, AuditCalls, AgentCalls
):
    """All of them."""

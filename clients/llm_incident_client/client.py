"""The client: one object with every method of the service, typed, asynchronous, and safe to repeat."""

from llm_incident_client.access import AccessCalls
from llm_incident_client.admin import AdminCalls
from llm_incident_client.agents import AgentCalls
from llm_incident_client.analyses import AnalysisCalls
from llm_incident_client.audit import AuditCalls
from llm_incident_client.compliance import ComplianceCalls
from llm_incident_client.core.connection import Connection
from llm_incident_client.incidents import IncidentCalls
from llm_incident_client.ingest import IngestCalls
from llm_incident_client.relations import RelationCalls
from llm_incident_client.sets import SetCalls
from llm_incident_client.verbs import VerbCalls


class IncidentClient(
    IngestCalls,
    IncidentCalls,
    VerbCalls,
    RelationCalls,
    AnalysisCalls,
    SetCalls,
    AdminCalls,
    AccessCalls,
    AuditCalls,
    ComplianceCalls,
    AgentCalls,
    Connection,
):
    """A connection to the LLM Incident Manager: `async with IncidentClient("localhost:50051") as client`.

    Writes carry a generated request_id unless given one, so a call repeated after a lost answer takes effect once.
    Belongs to the event loop it was made in.
    """

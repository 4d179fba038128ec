# Written by `make gen` from the modules of the asynchronous clients.
"""Every method of the asynchronous clients, as one that waits."""

from llm_incident_client.sync.methods.access import AccessCalls
from llm_incident_client.sync.methods.admin import AdminCalls
from llm_incident_client.sync.methods.agents import AgentCalls
from llm_incident_client.sync.methods.analyses import AnalysisCalls
from llm_incident_client.sync.methods.audit import AuditCalls
from llm_incident_client.sync.methods.compliance import ComplianceCalls
from llm_incident_client.sync.methods.governance import GovernanceCalls
from llm_incident_client.sync.methods.incidents import IncidentCalls
from llm_incident_client.sync.methods.ingest import IngestCalls
from llm_incident_client.sync.methods.relations import RelationCalls
from llm_incident_client.sync.methods.reporting import ReportCalls
from llm_incident_client.sync.methods.sentinel import SentinelCalls
from llm_incident_client.sync.methods.sets import SetCalls
from llm_incident_client.sync.methods.shield import ShieldCalls
from llm_incident_client.sync.methods.verbs import VerbCalls


class IncidentClientMethods(
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
):
    """Those of IncidentClient."""


class SentinelClientMethods(ReportCalls, SentinelCalls, IngestCalls):
    """Those of SentinelClient."""


class ShieldClientMethods(ReportCalls, ShieldCalls, IngestCalls):
    """Those of ShieldClient."""


class GovernanceClientMethods(GovernanceCalls, AuditCalls):
    """Those of GovernanceClient."""

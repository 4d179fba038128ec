"""What LLM-Shield needs of the manager: a client and its findings."""

from llm_incident_client.findings import Finding, Subject
from llm_incident_client.shield.client import SOURCE, ShieldClient
from llm_incident_client.shield.findings import Decision, Place, Risk, Threat, Threatening, Violation, evidence_hash

__all__ = [
    "SOURCE",
    "Decision",
    "Finding",
    "Place",
    "Risk",
    "ShieldClient",
    "Subject",
    "Threat",
    "Threatening",
    "Violation",
    "evidence_hash",
]

"""What LLM-Sentinel needs of the manager: a client, its findings, and the verdicts of people."""

from llm_incident_client.findings import Finding, Measured, Subject
from llm_incident_client.sentinel.client import SOURCE, SentinelClient
from llm_incident_client.sentinel.feedback import Feedback, Verdict
from llm_incident_client.sentinel.findings import Anomaly, Category, Drift, Drifting, Fault, Latency, Quality

__all__ = [
    "SOURCE",
    "Anomaly",
    "Category",
    "Drift",
    "Drifting",
    "Fault",
    "Feedback",
    "Finding",
    "Latency",
    "Measured",
    "Quality",
    "SentinelClient",
    "Subject",
    "Verdict",
]

"""What LLM-Governance-Core needs of the manager: a client."""

from llm_incident_client.governance.client import GovernanceClient

__all__ = ["GovernanceClient"]

"""`python -m llm_incident_client.edge_agent` is `llm-edge-agent`."""

from llm_incident_client.edge_agent.cli import console

if __name__ == "__main__":
    console()

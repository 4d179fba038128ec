"""Blocking client of the LLM Incident Manager, for threads, scripts and notebooks: the asynchronous one underneath.

with IncidentClient("localhost:50051") as client, client.event_stream("checkout-proxy") as stream:
    result = stream.send(pb.Event(source="checkout-proxy", title="Provider answers 529")).result()
"""

from llm_incident_client.sync.client import GovernanceClient, IncidentClient, SentinelClient, ShieldClient
from llm_incident_client.sync.items import Items
from llm_incident_client.sync.stream import EventStream

__all__ = ["EventStream", "GovernanceClient", "IncidentClient", "Items", "SentinelClient", "ShieldClient"]

"""Asynchronous client of the LLM Incident Manager: typed calls, a resumable watch, and a durable event stream.

async with IncidentClient("localhost:50051") as client, client.event_stream("checkout-proxy") as stream:
    result = await (await stream.send(pb.Event(source="checkout-proxy", title="Provider answers 529")))
"""

from llm_incident_client import pb
from llm_incident_client.client import IncidentClient
from llm_incident_client.core import errors
from llm_incident_client.core.channel import ChannelOptions, Tls
from llm_incident_client.core.errors import IncidentManagerError
from llm_incident_client.core.options import Phase, StreamOptions, StreamState
from llm_incident_client.core.retry import NO_RETRY, Backoff, RetryPolicy
from llm_incident_client.core.stream import EventStream, StreamFull

__all__ = [
    "NO_RETRY",
    "Backoff",
    "ChannelOptions",
    "EventStream",
    "IncidentClient",
    "IncidentManagerError",
    "Phase",
    "RetryPolicy",
    "StreamFull",
    "StreamOptions",
    "StreamState",
    "Tls",
    "errors",
    "pb",
]

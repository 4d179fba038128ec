"""Asynchronous client of the LLM Incident Manager: typed calls, a resumable watch, and a durable event stream.

async with IncidentClient("localhost:50051") as client, client.event_stream("checkout-proxy") as stream:
    result = await (await stream.send(pb.Event(source="checkout-proxy", title="Provider answers 529")))
"""

from llm_incident_client import pb
from llm_incident_client.client import IncidentClient
from llm_incident_client.core import errors
from llm_incident_client.core.breaker import BreakerPolicy
from llm_incident_client.core.channel import ChannelOptions, Tls
from llm_incident_client.core.errors import IncidentManagerError
from llm_incident_client.core.limit import RateLimit
from llm_incident_client.core.observing import LogObserver, Observer
from llm_incident_client.core.options import Phase, StreamOptions, StreamState
from llm_incident_client.core.retry import NO_RETRY, Backoff, RetryPolicy, Throttle
from llm_incident_client.core.stream import EventStream, StreamFull
from llm_incident_client.core.tokens import RenewedToken, Token
from llm_incident_client.governance import GovernanceClient
from llm_incident_client.sentinel import SentinelClient
from llm_incident_client.shield import ShieldClient

__all__ = [
    "NO_RETRY",
    "Backoff",
    "BreakerPolicy",
    "ChannelOptions",
    "EventStream",
    "GovernanceClient",
    "IncidentClient",
    "IncidentManagerError",
    "LogObserver",
    "Observer",
    "Phase",
    "RateLimit",
    "RenewedToken",
    "RetryPolicy",
    "SentinelClient",
    "ShieldClient",
    "StreamFull",
    "StreamOptions",
    "StreamState",
    "Throttle",
    "Tls",
    "Token",
    "errors",
    "pb",
]

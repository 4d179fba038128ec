"""The client of LLM-Sentinel: findings in, verdicts back."""

from typing import Unpack

from llm_incident_client.core import channel
from llm_incident_client.core.breaker import BreakerPolicy
from llm_incident_client.core.connection import Connection, Options
from llm_incident_client.ingest import IngestCalls
from llm_incident_client.reporting import ReportCalls
from llm_incident_client.sentinel.calls import SentinelCalls

SOURCE = "llm-sentinel"


class SentinelClient(ReportCalls, SentinelCalls, IngestCalls, Connection):
    """Reports anomalies, drift, latency and quality: `async with SentinelClient("localhost:50051") as sentinel`.

    Findings are `Anomaly`, `Drift`, `Latency` and `Quality`; `report` sends one, and `event_stream` many:
    `await stream.send(finding.event(sentinel.source))`.
    """

    def __init__(
        self,
        target: str | channel.ChannelOptions = channel.DEFAULT_ADDRESS,
        *,
        source: str = SOURCE,
        **options: Unpack[Options],
    ) -> None:
        """`source` is the name under which it reports. A circuit breaker is there unless `breaker` is None."""
        options.setdefault("breaker", BreakerPolicy())
        super().__init__(target, **options)
        self.source = source

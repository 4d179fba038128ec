"""The client of LLM-Shield: violations and threats in, analyses and plans back."""

from typing import Unpack

from llm_incident_client.core import channel
from llm_incident_client.core.breaker import BreakerPolicy
from llm_incident_client.core.connection import Connection, Options
from llm_incident_client.ingest import IngestCalls
from llm_incident_client.reporting import ReportCalls
from llm_incident_client.shield.calls import ShieldCalls

SOURCE = "llm-shield"


class ShieldClient(ReportCalls, ShieldCalls, IngestCalls, Connection):
    """Reports violations and threats: `async with ShieldClient("localhost:50051") as shield`.

    Findings are `Violation` and `Threat`; `report` sends one, and `event_stream` many:
    `await stream.send(finding.event(shield.source))`.
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

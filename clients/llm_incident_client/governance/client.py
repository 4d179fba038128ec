"""The client of LLM-Governance-Core: incidents of a period, compliance, evidence, the audit trail, reports."""

from typing import Unpack

from llm_incident_client.audit import AuditCalls
from llm_incident_client.core import channel
from llm_incident_client.core.breaker import BreakerPolicy
from llm_incident_client.core.connection import Connection, Options
from llm_incident_client.governance.calls import GovernanceCalls


class GovernanceClient(GovernanceCalls, AuditCalls, Connection):
    """Asks what happened and whether rules were kept: `async with GovernanceClient("localhost:50051") as governance`.

    Changes nothing.
    """

    def __init__(
        self, target: str | channel.ChannelOptions = channel.DEFAULT_ADDRESS, **options: Unpack[Options]
    ) -> None:
        """For the options see Options. A circuit breaker is there unless `breaker` is None."""
        options.setdefault("breaker", BreakerPolicy())
        super().__init__(target, **options)

"""The client: one object with every method of the service, typed, asynchronous, and safe to repeat."""

from datetime import timedelta
from types import TracebackType
from typing import Self

from llm_incident_client.access import AccessCalls
from llm_incident_client.admin import AdminCalls
from llm_incident_client.agents import AgentCalls
from llm_incident_client.audit import AuditCalls
from llm_incident_client.core import calls, channel, retry
from llm_incident_client.incidents import IncidentCalls
from llm_incident_client.ingest import IngestCalls
from llm_incident_client.relations import RelationCalls
from llm_incident_client.sets import SetCalls
from llm_incident_client.verbs import VerbCalls


class IncidentClient(
    IngestCalls, IncidentCalls, VerbCalls, RelationCalls, SetCalls, AdminCalls, AccessCalls, AuditCalls, AgentCalls
):
    """A connection to the LLM Incident Manager: `async with IncidentClient("localhost:50051") as client`.

    Writes carry a generated request_id unless given one, so a call repeated after a lost answer takes effect once.
    Belongs to the event loop it was made in.
    """

    def __init__(
        self,
        target: str | channel.ChannelOptions = channel.DEFAULT_ADDRESS,
        *,
        retries: retry.RetryPolicy | None = None,
        deadline: timedelta = timedelta(seconds=30),
    ) -> None:
        """`target` is host:port for a plain channel, or options with TLS and identity; `deadline` bounds each call."""
        options = channel.ChannelOptions(target) if isinstance(target, str) else target
        caller = calls.Caller(options, retries or retry.RetryPolicy(), deadline)
        super().__init__(caller)

    async def __aenter__(self) -> Self:
        """Connects on the first call."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the client."""
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the channel and ends what still runs on it; close event streams first."""
        await self._caller.close()

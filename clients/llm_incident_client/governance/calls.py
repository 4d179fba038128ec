"""What LLM-Governance-Core asks of the manager."""

from collections.abc import AsyncGenerator
from datetime import date, datetime

from llm_incident_client import pb
from llm_incident_client.core import calls
from llm_incident_client.incidents import IncidentCalls


class GovernanceCalls(calls.MethodGroup):
    """Queries for reports. All methods raise IncidentManagerError."""

    async def incidents(
        self,
        start: date | datetime,
        end: date | datetime,
        *,
        filter: str = "",  # noqa: A002 - the contract's word
        page_size: int = 100,
    ) -> AsyncGenerator[pb.Incident, None]:
        """All incidents opened in a period, oldest first, fetched page by page as they are taken.

        A day counts whole, in UTC, also as the end; a datetime needs a time zone and is exact. `filter` (AIP-160)
        narrows them, for instance `severity >= P1`.
        """
        found = IncidentCalls(self._caller).iter_incidents(
            start=_moment(start), end=_moment(end), filter=filter, order_by="create_time", page_size=page_size
        )
        async for incident in found:
            yield incident

    async def timeline(self, incident_id: str) -> list[pb.TimelineEntry]:
        """All that happened to an incident, oldest first: who did what and when."""
        return [entry async for entry in IncidentCalls(self._caller).iter_timeline(incident_id)]


def _moment(given: date | datetime) -> str:
    """As the contract writes it. Raises ValueError for a datetime without a time zone."""
    if isinstance(given, datetime) and given.tzinfo is None:
        raise ValueError(f"{given.isoformat()} has no time zone: add one, for instance tzinfo=UTC, or give a date")
    return given.isoformat()

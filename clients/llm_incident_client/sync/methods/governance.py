# Written by `make gen` from llm_incident_client/governance/calls.py: edit that file.
"""What LLM-Governance-Core asks of the manager."""

from datetime import date, datetime

from llm_incident_client import pb
from llm_incident_client.governance import calls as asynchronous
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class GovernanceCalls(Blocking):
    """Queries for reports. All methods raise IncidentManagerError."""

    def incidents(
        self, start: date | datetime, end: date | datetime, *, filter: str = "", page_size: int = 100
    ) -> Items[pb.Incident]:
        """All incidents opened in a period, oldest first, fetched page by page as they are taken.

        A day counts whole, in UTC, also as the end; a datetime needs a time zone and is exact. `filter` (AIP-160)
        narrows them, for instance `severity >= P1`.
        """
        return Items(
            self, self._as(asynchronous.GovernanceCalls).incidents(start, end, filter=filter, page_size=page_size)
        )

    def timeline(self, incident_id: str) -> list[pb.TimelineEntry]:
        """All that happened to an incident, oldest first: who did what and when."""
        return self.portal.wait(self._as(asynchronous.GovernanceCalls).timeline(incident_id))

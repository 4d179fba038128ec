"""What belongs to an incident: others, attachments, analyses. A store answers, and a unit of work as it sees it."""

from collections.abc import Sequence
from typing import Protocol

from llm_incident_manager.domain.analysis import Analysis
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.relations import Attachment, Related


class Belongings(Protocol):
    """Lists of what belongs to one incident. Nothing is locked by reading it."""

    async def related(
        self, tenant: TenantId, incident: IncidentId, after: tuple[int, str], limit: int
    ) -> Sequence[Related]:
        """The incidents that one has to do with, by relation and id, behind such a pair; (0, "") begins."""
        ...

    async def attachments(self, tenant: TenantId, incident: IncidentId, after: str, limit: int) -> Sequence[Attachment]:
        """Attachments with an id larger than `after`, oldest first."""
        ...

    async def analyses(self, tenant: TenantId, incident: IncidentId, after: str, limit: int) -> Sequence[Analysis]:
        """What was asked about an incident, of ids larger than `after`, oldest first."""
        ...

"""What belongs to an incident: others, attachments, analyses. A store answers, and a unit of work as it sees it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from llm_incident_manager.domain.analysis import Analysis
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.domain.timeline import TimelineEntry, TimelineKind


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


class BelongingsOfMany(Protocol):
    """The same of many incidents at once, the first `limit` of each, in one statement however many they are. What has
    nothing is left out."""

    async def incidents_by_id(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        """Incidents by id, in id order; missing ones are left out."""
        ...

    async def timelines(
        self, tenant: TenantId, incidents: Sequence[IncidentId], limit: int, kind: TimelineKind | None = None
    ) -> Mapping[IncidentId, Sequence[TimelineEntry]]:
        """Timeline entries, oldest first; of one kind only when told."""
        ...

    async def related_of_each(
        self, tenant: TenantId, incidents: Sequence[IncidentId], limit: int
    ) -> Mapping[IncidentId, Sequence[Related]]:
        """The incidents that each has to do with, by relation and id."""
        ...

    async def attachments_of_each(
        self, tenant: TenantId, incidents: Sequence[IncidentId], limit: int
    ) -> Mapping[IncidentId, Sequence[Attachment]]:
        """Attachments, oldest first."""
        ...


class AllBelongings(Belongings, BelongingsOfMany, Protocol):
    """Of one incident, and of many."""

"""What belongs to many incidents, read in one statement each."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence

from llm_incident_manager.adapters.postgres.analyses import Analysed
from llm_incident_manager.adapters.postgres.pool import Rows
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import belongings, records
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId, is_uuid
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.domain.timeline import TimelineEntry, TimelineKind
from llm_incident_manager.ports.stores import StoredEvent


class OfMany(ABC):
    """Implements ports.belongings.BelongingsOfMany with what the rest of the store lends."""

    @abstractmethod
    async def _read(self, statement: str, *values: object) -> Rows:
        """Runs a statement, on the replica if it has all that is committed by now."""

    async def incidents_by_id(self, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        """Incidents by id, in id order; missing ones are left out."""
        return [records.incident_of(row, str) for row in await self._read(SQL["incidents_by_id"], tenant, ids)]

    async def events(self, tenant: TenantId, ids: Sequence[EventId]) -> Sequence[StoredEvent]:
        """Stored events by id, in id order; missing ones are left out."""
        found = await self._read(SQL["whole_events"], tenant, [id_ for id_ in ids if is_uuid(id_)])
        return [StoredEvent(records.event_of(tuple(row)[:-2], str), *tuple(row)[-2:]) for row in found]

    async def timelines(
        self, tenant: TenantId, incidents: Sequence[IncidentId], limit: int, kind: TimelineKind | None = None
    ) -> Mapping[IncidentId, Sequence[TimelineEntry]]:
        """Timeline entries of each, oldest first; of one kind only when told."""
        sorted_in = defaultdict[IncidentId, list[TimelineEntry]](list)
        for row in await self._read(SQL["timelines"], tenant, incidents, limit, kind):
            entry = records.timeline_of(row, str)
            sorted_in[entry.incident_id].append(entry)
        return sorted_in

    async def related_of_each(
        self, tenant: TenantId, incidents: Sequence[IncidentId], limit: int
    ) -> Mapping[IncidentId, Sequence[Related]]:
        """The incidents that each has to do with, by relation and id."""
        sorted_in = defaultdict[IncidentId, list[Related]](list)
        for *row, of in await self._read(SQL["related_of_each"], tenant, incidents, limit):
            sorted_in[IncidentId(str(of))].append(belongings.related_of(row, str))
        return sorted_in

    async def attachments_of_each(
        self, tenant: TenantId, incidents: Sequence[IncidentId], limit: int
    ) -> Mapping[IncidentId, Sequence[Attachment]]:
        """Attachments of each, oldest first."""
        sorted_in = defaultdict[IncidentId, list[Attachment]](list)
        for row in await self._read(SQL["attachments_of_each"], tenant, incidents, limit):
            attachment = belongings.attachment_of(row, str)
            sorted_in[attachment.incident_id].append(attachment)
        return sorted_in


class BelongingReads(Analysed, OfMany):
    """All of them."""

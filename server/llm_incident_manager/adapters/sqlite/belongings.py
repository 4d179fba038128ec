"""What belongs to many incidents, read in one statement each."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

import apsw

from llm_incident_manager.adapters.sql import belongings, records
from llm_incident_manager.adapters.sqlite import ids as packed
from llm_incident_manager.adapters.sqlite import reads, relations
from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.domain.ids import EventId, IncidentId, TenantId
from llm_incident_manager.domain.incident import Incident
from llm_incident_manager.domain.relations import Attachment, Related
from llm_incident_manager.domain.timeline import TimelineEntry, TimelineKind
from llm_incident_manager.ports.stores import StoredEvent

T = TypeVar("T")


class _Reading(Protocol):
    async def _read(self, function: Callable[[apsw.Connection], T]) -> T: ...


class OfMany:
    """Implements ports.belongings.BelongingsOfMany with what the rest of the store lends."""

    async def incidents_by_id(self: _Reading, tenant: TenantId, ids: Sequence[IncidentId]) -> Sequence[Incident]:
        """Incidents by id, in id order; missing ones are left out."""
        found = await self._read(partial(reads.incidents, tenant=tenant, wanted=ids))
        return sorted(found, key=lambda incident: incident.id)

    async def events(self: _Reading, tenant: TenantId, ids: Sequence[EventId]) -> Sequence[StoredEvent]:
        """Stored events by id, in id order; missing ones are left out."""
        return await self._read(partial(relations.events, tenant=tenant, wanted=ids))

    async def timelines(
        self: _Reading, tenant: TenantId, incidents: Sequence[IncidentId], limit: int, kind: TimelineKind | None = None
    ) -> Mapping[IncidentId, Sequence[TimelineEntry]]:
        """Timeline entries of each, oldest first; of one kind only when told."""
        asked = {"tenant": tenant, "incidents": records.text_list(incidents), "limit": limit, "kind": kind}
        found = await self._read(lambda connection: rows(connection, "timelines", asked))
        sorted_in = defaultdict[IncidentId, list[TimelineEntry]](list)
        for row in found:
            entry = records.timeline_of(row, packed.text)
            sorted_in[entry.incident_id].append(entry)
        return sorted_in

    async def related_of_each(
        self: _Reading, tenant: TenantId, incidents: Sequence[IncidentId], limit: int
    ) -> Mapping[IncidentId, Sequence[Related]]:
        """The incidents that each has to do with, by relation and id."""
        asked = {"tenant": tenant, "incidents": records.text_list(incidents), "limit": limit}
        found = await self._read(lambda connection: rows(connection, "related_of_each", asked))
        sorted_in = defaultdict[IncidentId, list[Related]](list)
        for *row, of in found:
            sorted_in[IncidentId(packed.text(of))].append(belongings.related_of(row, packed.text))
        return sorted_in

    async def attachments_of_each(
        self: _Reading, tenant: TenantId, incidents: Sequence[IncidentId], limit: int
    ) -> Mapping[IncidentId, Sequence[Attachment]]:
        """Attachments of each, oldest first."""
        asked = {"tenant": tenant, "incidents": records.text_list(incidents), "limit": limit}
        found = await self._read(lambda connection: rows(connection, "attachments_of_each", asked))
        sorted_in = defaultdict[IncidentId, list[Attachment]](list)
        for row in found:
            attachment = belongings.attachment_of(row, packed.text)
            sorted_in[attachment.incident_id].append(attachment)
        return sorted_in

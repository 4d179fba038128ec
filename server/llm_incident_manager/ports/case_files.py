"""What was recorded about many incidents: what a report takes as evidence. Read page by page, never one by one."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.relations import Attachment
from llm_incident_manager.domain.timeline import TimelineEntry
from llm_incident_manager.ports.changes import DeliveryRow


class Recorded(NamedTuple):
    """Of several incidents, each kind oldest first. Of their timelines only that they were opened, moved from state to
    state, routed and assigned."""

    timeline: Sequence[TimelineEntry]
    deliveries: Sequence[DeliveryRow]
    attachments: Sequence[Attachment]


class CaseFiles(Protocol):
    """The records of many incidents at once."""

    async def recorded(self, tenant: TenantId, incidents: Sequence[IncidentId]) -> Recorded:
        """What belongs to these incidents; nothing to ids that there are none of."""
        ...

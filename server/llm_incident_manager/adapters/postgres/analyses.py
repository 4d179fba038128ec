"""What the store, and a unit of work, is asked about analyses."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from llm_incident_manager.adapters.postgres.pool import Rows
from llm_incident_manager.adapters.postgres.statements import BEFORE_ALL
from llm_incident_manager.adapters.sql import belongings
from llm_incident_manager.domain.analysis import Analysis
from llm_incident_manager.domain.ids import IncidentId, TenantId


class Analysed(ABC):
    """Implements the part of ports.belongings.Belongings that is about analyses."""

    async def analyses(self, tenant: TenantId, incident: IncidentId, after: str, limit: int) -> Sequence[Analysis]:
        """What was asked about an incident, of ids larger than `after`, oldest first."""
        found = await self._fetch("analyses", tenant, incident, after or BEFORE_ALL, limit)
        return [belongings.analysis_of(row, str) for row in found]

    @abstractmethod
    async def _fetch(self, name: str, *values: object) -> Rows:
        """What a statement answers."""

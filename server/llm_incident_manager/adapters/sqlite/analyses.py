"""What the store, and a unit of work, is asked about analyses."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

import apsw

from llm_incident_manager.adapters.sql import belongings
from llm_incident_manager.adapters.sqlite import ids
from llm_incident_manager.adapters.sqlite.statements import rows
from llm_incident_manager.domain.analysis import Analysis
from llm_incident_manager.domain.ids import IncidentId, TenantId

T = TypeVar("T")


def analyses(
    connection: apsw.Connection, tenant: TenantId, incident: IncidentId, after: str, limit: int
) -> Sequence[Analysis]:
    """What was asked about an incident, of ids larger than `after`, oldest first."""
    found = rows(connection, "analyses", (tenant, incident, after, limit))
    return [belongings.analysis_of(row, ids.text) for row in found]


class Analysed(ABC):
    """Implements the part of ports.belongings.Belongings that is about analyses, for a store."""

    async def analyses(self, tenant: TenantId, incident: IncidentId, after: str, limit: int) -> Sequence[Analysis]:
        """What was asked about an incident, of ids larger than `after`, oldest first."""
        return await self._read(lambda connection: analyses(connection, tenant, incident, after, limit))

    @abstractmethod
    async def _read(self, function: Callable[[apsw.Connection], T]) -> T:
        """Runs a function that changes nothing."""

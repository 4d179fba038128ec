"""The part of the store that is about many incidents at once. Changes nothing; a replica may answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from llm_incident_manager.adapters.postgres.pool import Rows
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.adapters.sql import belongings, dialect, figures, records
from llm_incident_manager.adapters.sql.filters import Clause
from llm_incident_manager.domain.figures import Table
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.sla import Targets
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.trends import Attainment, Trend
from llm_incident_manager.ports.case_files import Recorded
from llm_incident_manager.ports.stores import IncidentQuery

_Found = Sequence[tuple[Any, ...]]


class Figured(ABC):
    """Implements ports.analytics.Figured and ports.case_files.CaseFiles with what the rest of the store lends."""

    @abstractmethod
    async def _read(self, statement: str, *values: object) -> Rows:
        """What a statement answers."""

    async def figures(self, query: IncidentQuery, group_by: str) -> Table:
        """Counts and times over the incidents that match."""

        def asked(field: str) -> Clause:
            return figures.statement(SQL["figures"], query, field, dialect.POSTGRES)

        return figures.table(*await self._both(asked, group_by), group_by)

    async def trend(self, query: IncidentQuery, group_by: str, boundaries: Sequence[Instant]) -> Trend:
        """The same step by step."""

        def asked(field: str) -> Clause:
            return figures.trend_statement(SQL["figures"], query, field, boundaries, dialect.POSTGRES)

        return figures.trend(*await self._both(asked, group_by), group_by, boundaries)

    async def attainment(self, query: IncidentQuery, group_by: str, targets: Targets, now: Instant) -> Attainment:
        """How often promises were kept."""

        def asked(field: str) -> Clause:
            return figures.attainment_statement(SQL["attainment"], query, field, targets, now, dialect.POSTGRES)

        return figures.attainment(*await self._both(asked, group_by), group_by)

    async def recorded(self, tenant: TenantId, incidents: Sequence[IncidentId]) -> Recorded:
        """What belongs to these incidents."""
        names = ("timeline_of_many", "deliveries_of_many", "attachments_of_many")
        timeline, deliveries, attached = [await self._read(SQL[name], tenant, list(incidents)) for name in names]
        return Recorded(
            [records.timeline_of(row, str) for row in timeline],
            [records.delivery_of(row, str) for row in deliveries],
            [belongings.attachment_of(row, str) for row in attached],
        )

    async def _both(self, asked: Callable[[str], Clause], group_by: str) -> tuple[_Found, _Found]:
        """The rows of all together, and of the groups if any are asked for."""
        found: list[_Found] = []
        for field in dict.fromkeys(("", group_by)):
            clause = asked(field)
            found.append([tuple(row) for row in await self._read(clause.text, *clause.parameters)])
        return found[0], found[-1] if group_by else ()

"""The part of the store that is about many incidents at once. Changes nothing."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Protocol, TypeVar

import apsw

from llm_incident_manager.adapters.sql import belongings, dialect, figures, records
from llm_incident_manager.adapters.sql.filters import Clause
from llm_incident_manager.adapters.sqlite import ids
from llm_incident_manager.adapters.sqlite.statements import STATEMENTS, Row, bulk
from llm_incident_manager.domain.figures import Table
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.sla import Targets
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.trends import Attainment, Trend
from llm_incident_manager.ports.case_files import Recorded
from llm_incident_manager.ports.stores import IncidentQuery

T = TypeVar("T")
_oldest_first = attrgetter("id")


class _Lending(Protocol):
    """What the rest of the store lends."""

    async def _read(self, function: Callable[[apsw.Connection], T]) -> T: ...


class Figured:
    """Implements ports.analytics.Figured and ports.case_files.CaseFiles."""

    async def figures(self: _Lending, query: IncidentQuery, group_by: str) -> Table:
        """Counts and times over the incidents that match."""

        def asked(field: str) -> Clause:
            return figures.statement(STATEMENTS["figures"], query, field, dialect.SQLITE)

        everything, parts = await self._read(lambda connection: _both(connection, asked, group_by))
        return figures.table(everything, parts, group_by)

    async def trend(self: _Lending, query: IncidentQuery, group_by: str, boundaries: Sequence[Instant]) -> Trend:
        """The same step by step."""

        def asked(field: str) -> Clause:
            return figures.trend_statement(STATEMENTS["figures"], query, field, boundaries, dialect.SQLITE)

        everything, parts = await self._read(lambda connection: _both(connection, asked, group_by))
        return figures.trend(everything, parts, group_by, boundaries)

    async def attainment(
        self: _Lending, query: IncidentQuery, group_by: str, targets: Targets, now: Instant
    ) -> Attainment:
        """How often promises were kept."""

        def asked(field: str) -> Clause:
            return figures.attainment_statement(STATEMENTS["attainment"], query, field, targets, now, dialect.SQLITE)

        everything, parts = await self._read(lambda connection: _both(connection, asked, group_by))
        return figures.attainment(everything, parts, group_by)

    async def recorded(self: _Lending, tenant: TenantId, incidents: Sequence[IncidentId]) -> Recorded:
        """What belongs to these incidents."""
        return await self._read(lambda connection: _recorded(connection, tenant, incidents))


def _both(
    connection: apsw.Connection, asked: Callable[[str], Clause], group_by: str
) -> tuple[Sequence[Row], Sequence[Row]]:
    """The rows of all together, and of the groups if any are asked for."""
    found: list[Sequence[Row]] = []
    for field in dict.fromkeys(("", group_by)):
        clause = asked(field)
        found.append(connection.execute(clause.text, clause.parameters).fetchall())
    return found[0], found[-1] if group_by else ()


def _recorded(connection: apsw.Connection, tenant: TenantId, incidents: Sequence[IncidentId]) -> Recorded:
    wanted = [(tenant, id_) for id_ in dict.fromkeys(incidents)]
    timeline = [records.timeline_of(row, ids.text) for row in bulk("timeline_of_many").run(connection, wanted)]
    deliveries = [records.delivery_of(row, ids.text) for row in bulk("deliveries_of_many").run(connection, wanted)]
    attached = [belongings.attachment_of(row, ids.text) for row in bulk("attachments_of_many").run(connection, wanted)]
    return Recorded(
        sorted(timeline, key=_oldest_first), sorted(deliveries, key=_oldest_first), sorted(attached, key=_oldest_first)
    )

"""What a store is asked about many incidents at once. Those that were merged into another one do not count."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from llm_incident_manager.domain.figures import Table
from llm_incident_manager.domain.sla import Targets
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.trends import Attainment, Trend
from llm_incident_manager.ports.case_files import CaseFiles

if TYPE_CHECKING:
    from llm_incident_manager.ports.stores import IncidentQuery


class Figured(CaseFiles, Protocol):
    """Figures over the incidents that match a query, regardless of its order and page; also by the values of a field
    of `figures.GROUPS`, unless `group_by` is empty. As many statements whatever they find."""

    async def figures(self, query: "IncidentQuery", group_by: str) -> Table:
        """Counts and times."""
        ...

    async def trend(self, query: "IncidentQuery", group_by: str, boundaries: Sequence[Instant]) -> Trend:
        """The same step by step; `boundaries` are as `calendar.steps` gives them, and the query's span lies within."""
        ...

    async def attainment(self, query: "IncidentQuery", group_by: str, targets: Targets, now: Instant) -> Attainment:
        """How often promises were kept until `now`, as `sla.judge` sees it."""
        ...

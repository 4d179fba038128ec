"""Counts of incidents and how long things took. Percentiles are nearest-rank, so that they are values that occurred."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from llm_incident_manager.domain.severity import Severity

GROUPS = (
    "severity",
    "state",
    "incident_type",
    "kind",
    "source",
    "service",
    "environment",
    "application",
    "provider",
    "model",
    "deployment",
    "route",
    "team",
)
"""Fields that incidents can be grouped by; their names are their columns, but of `team`, which is a label."""

MOST_GROUPS = 1_000


class Spread(NamedTuple):
    """A duration over the incidents where it occurred: how many, their sum, and percentiles in microseconds."""

    occurred: int = 0
    total: int = 0
    p50: int | None = None
    p95: int | None = None

    @property
    def mean(self) -> int | None:
        """The mean, rounded down; None of nothing."""
        return self.total // self.occurred if self.occurred else None


NOTHING = Spread()


class Figures(NamedTuple):
    """Figures of a set of incidents. Detection counts those with events that were no news of long ago."""

    incidents: int = 0
    open: int = 0
    detect: Spread = NOTHING
    detect_received: Spread = NOTHING
    acknowledge: Spread = NOTHING
    resolve: Spread = NOTHING


class Table(NamedTuple):
    """Figures of all, and of the largest groups by the grouping field's value; `group_count` counts all groups."""

    total: Figures
    groups: Sequence[tuple[str, Figures]] = ()
    group_count: int = 0


Row = tuple[str, int, int, int, int | None, int | None]
"""Group, measure (0: all, then the spreads in order), count, sum (of 0: how many are open), p50, p95."""


def assembled(rows: Sequence[Row]) -> Mapping[str, Figures]:
    """Figures by group from rows of single measures, the largest group first, equal ones by value."""
    counts = {group: (count, total) for group, measure, count, total, _, _ in rows if measure == 0}
    spreads = {(row[0], row[1]): Spread(*row[2:]) for row in rows if row[1] != 0}
    return {
        group: Figures(*counts[group], *(spreads.get((group, measure), NOTHING) for measure in (1, 2, 3, 4)))
        for group in sorted(counts, key=lambda group: (-counts[group][0], group))
    }


def shown(group_by: str, value: str) -> str:
    """The value of a group as the contract spells it."""
    return Severity(int(value)).name if group_by == "severity" else value

"""Figures step by step, and how often promises were kept: values that the store fills and callers are shown."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from llm_incident_manager.domain import figures
from llm_incident_manager.domain.figures import Figures
from llm_incident_manager.domain.time import Instant

MOST_VALUES = 20
"""Values of the grouping field that a trend follows: the largest."""


class Step(NamedTuple):
    """Figures of the incidents created from `start` to before `end`, and of groups of them."""

    start: Instant
    end: Instant
    figures: Figures
    groups: Sequence[tuple[str, Figures]] = ()


class Trend(NamedTuple):
    """All steps of a span. `values` are the largest groups of the whole span; `value_count` counts all."""

    steps: Sequence[Step]
    values: Sequence[str] = ()
    value_count: int = 0


class Kept(NamedTuple):
    """How often one promise was kept in time, was not, or may still be."""

    met: int = 0
    breached: int = 0
    pending: int = 0

    @property
    def attainment(self) -> float | None:
        """Those met of those met or breached; None of none."""
        judged = self.met + self.breached
        return self.met / judged if judged else None


class Attained(NamedTuple):
    """How often promises were kept for a set of incidents."""

    incidents: int = 0
    acknowledge: Kept = Kept()
    resolve: Kept = Kept()


class Attainment(NamedTuple):
    """Of all, and of the largest groups; `group_count` counts all groups."""

    total: Attained
    groups: Sequence[tuple[str, Attained]] = ()
    group_count: int = 0


Counted = tuple[int, figures.Row]
"""The number of a step, from 0, and a row of figures in it."""


def assembled(boundaries: Sequence[Instant], everything: Sequence[Counted], parts: Sequence[Counted]) -> Trend:
    """The trend of rows of single measures: of all incidents, and of groups (with their values as callers are shown
    them). `boundaries` are as `calendar.steps` gives them."""
    totals, grouped = _by_step(everything), _by_step(parts)
    steps = [
        Step(start, end, totals.get(number, {}).get("", Figures()), tuple(grouped.get(number, {}).items()))
        for number, (start, end) in enumerate(pairwise(boundaries))
    ]
    sizes: dict[str, int] = {}
    for step in steps:
        for value, found in step.groups:
            sizes[value] = sizes.get(value, 0) + found.incidents
    values = sorted(sizes, key=lambda value: (-sizes[value], value))
    return Trend(steps, values, max((row[5] or 0 for _, row in parts if row[1] == 0), default=0))


def _by_step(rows: Sequence[Counted]) -> Mapping[int, Mapping[str, Figures]]:
    found: dict[int, list[figures.Row]] = {}
    for number, row in rows:
        found.setdefault(number, []).append(row)
    return {number: figures.assembled(some) for number, some in found.items()}

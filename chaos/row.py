"""A row of the scorecard: what is broken, how it is driven, what was measured against which limit, and the verdict."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from chaos.run import Run


class Verdict(StrEnum):
    """What a row says."""

    PASSED = "passed"
    FAILED = "failed"
    LATER = "belongs to a later issue"


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured number with the bounds it has to keep: at least `least`, at most `most`."""

    name: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it keeps its bounds."""
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    @property
    def limit(self) -> str:
        """The bounds in words."""
        if self.least is not None and self.least == self.most:
            return f"= {_number(self.least)}{self._unit}"
        bounds = ((">=", self.least), ("<=", self.most))
        return " and ".join(f"{sign} {_number(bound)}{self._unit}" for sign, bound in bounds if bound is not None)

    def __str__(self) -> str:
        """As it stands in the table."""
        return f"{self.name} {_number(self.value)}{self._unit}"

    @property
    def _unit(self) -> str:
        return f" {self.unit}" if self.unit else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a driver found. `acked` were acknowledged to a client, of which `lost` are not stored and `doubled` are
    stored more than once; `late` is how many things happened after their time. `wrong` are broken promises in words."""

    figures: Sequence[Figure] = ()
    acked: int = 0
    lost: int = 0
    doubled: int = 0
    late: int = 0
    wrong: Sequence[str] = ()

    @property
    def verdict(self) -> Verdict:
        """Passed if all limits are kept. A row without a number has shown nothing."""
        shown = bool(self.figures) or self.acked > 0
        kept = all(figure.holds for figure in self.figures) and not self.wrong
        return Verdict.PASSED if shown and kept and not (self.lost or self.doubled or self.late) else Verdict.FAILED


Driver: TypeAlias = Callable[[Run], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row before it was run: `number` in the list of faults, `part` where one fault has several rows."""

    number: int
    title: str
    limit: str
    part: str = ""
    driver: Driver | None = field(default=None, repr=False)
    later: str = ""
    """Why there is nothing to drive yet, naming what has to come first."""

    @property
    def name(self) -> str:
        """How it is called in messages and files."""
        return f"{self.number}-{self.part}".lower().replace(" ", "-") if self.part else str(self.number)


@dataclass(frozen=True, slots=True)
class Row:
    """A row after it was run."""

    fault: Fault
    seed: str
    seconds: float
    outcome: Outcome
    verdict: Verdict


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1_000 else f"{value:,.3g}"

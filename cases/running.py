"""Runs files of cases and counts what comes of them."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from cases import deviations, files
from cases.case import Case, Doors, Format, NotYet, Outcome, Result, Unreadable, name_of
from cases.doors import RealDoors

MOST_DEVIATING = 0.05
"""The share of a file's cases that may deviate."""


@dataclass(frozen=True)
class Report:
    """A file and what came of each of its cases; `damage` is why the file has none that could be read."""

    file: str
    outcomes: Sequence[Outcome]
    damage: str = ""

    @property
    def counts(self) -> Counter[Result]:
        """How many cases came to each result."""
        return Counter(outcome.result for outcome in self.outcomes)

    @property
    def too_many(self) -> bool:
        """Whether more deviates than may."""
        return self.counts[Result.DEVIATING] > MOST_DEVIATING * len(self.outcomes)

    @property
    def good(self) -> bool:
        """Whether nothing failed that is not declared, and not too much is declared."""
        return not self.counts[Result.FAILED] and not self.too_many


async def reports(place: Path) -> AsyncIterator[Report]:
    """Each file's report as soon as it is there. Raises NoFolder."""
    async with AsyncExitStack() as stack:
        doors = RealDoors(stack)
        for path in files.find(place):
            yield await report(files.load(path, place), doors)


async def report(file: files.CaseFile, doors: Doors) -> Report:
    """Runs the cases of a file, one after the other."""
    if file.format is None:
        result = Result.NOT_YET if file.later else Result.UNREADABLE
        outcomes = [Outcome(name_of(case, number), result, file.why) for number, case in enumerate(file.cases)]
        return Report(file.name, outcomes, "" if file.later else file.why)
    return Report(file.name, [await outcome(file.format, case, n, doors) for n, case in enumerate(file.cases)])


async def outcome(format_: Format, case: Case, number: int, doors: Doors) -> Outcome:
    """What comes of one case."""
    name = name_of(case, number)
    try:
        difference = await format_.run(case, doors)
    except Unreadable as reason:
        return Outcome(name, Result.UNREADABLE, str(reason))
    except NotYet as reason:
        return Outcome(name, Result.NOT_YET, str(reason))
    except Exception as error:  # noqa: BLE001 - a case that makes us stumble has failed, and the others still count
        return Outcome(name, Result.FAILED, f"stumbled: {type(error).__name__}: {error}")
    if not difference:
        return Outcome(name, Result.PASSED)
    reason_of_ours = deviations.reason(format_.NAME, case)
    if reason_of_ours:
        return Outcome(name, Result.DEVIATING, reason_of_ours)
    return Outcome(name, Result.FAILED, difference)

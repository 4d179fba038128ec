"""Decides how long work after the commit rests between two rounds: not at all while little comes, and longer the more
comes, so that under load what arrives meanwhile shares the next round's transactions."""

from dataclasses import dataclass
from enum import StrEnum
from math import exp
from typing import NamedTuple

from llm_incident_manager.domain.time import SECOND, Instant

GATHER_SECONDS = 0.1
"""The longest rest between two rounds that keep up: three transactions a round, ten rounds a second, cost little."""
PAUSE_SECONDS = 0.5
"""While events wait for more than the next batches, or timers for more than a round: they come first, and telling goes
on."""
SECOND_LOOK_SECONDS = 0.02
"""What waited behind the work of a round in its lane is looked for after this time, unless news comes first."""

LITTLE_ROWS, MANY_ROWS = 150.0, 1_000.0
"""Rows a second up to which nothing is gathered, and from which on the longest rest is taken."""
LITTLE_EVENTS, MANY_EVENTS = 1_500.0, 8_000.0
"""The same for events that the process accepts: even few rows cost too much beside so many."""


_BEGINNING = Instant(0)


class Why(StrEnum):
    """What a rest is for."""

    NOTHING_DUE = "nothing_due"
    MORE_IS_DUE = "more_is_due"
    INGEST_FIRST = "ingest_first"
    GATHERING = "gathering"
    KEEPING_UP = "keeping_up"


class Rest(NamedTuple):
    """How long, why, and whether news ends it."""

    seconds: float
    why: Why
    ends_with_news: bool


@dataclass(frozen=True, slots=True)
class Pace:
    """How many came a second lately: an average whose weights halve about every 0.7 seconds."""

    value: float = 0.0
    at: Instant = _BEGINNING

    def after(self, count: int, now: Instant) -> "Pace":
        """The pace once so many more have come."""
        return Pace(self.per_second(now) + count, now)

    def per_second(self, now: Instant) -> float:
        """The pace as of a moment."""
        return self.value * exp(-max(0, now - self.at) / SECOND)


class Load(NamedTuple):
    """What a process has to do beside: `pressed` says that events wait for more than the next batches, or timers
    for more than a round."""

    pressed: bool
    rows_per_second: float
    events_per_second: float


def decide(rows: int, most: int, load: Load, poll_seconds: float) -> Rest:
    """The rest behind a round that has handled `rows` of at most `most`."""
    if not rows:
        return Rest(poll_seconds, Why.NOTHING_DUE, ends_with_news=True)
    if load.pressed:
        return Rest(PAUSE_SECONDS, Why.INGEST_FIRST, ends_with_news=False)
    if rows >= most:
        return Rest(0.0, Why.MORE_IS_DUE, ends_with_news=False)
    share = max(
        _between(LITTLE_ROWS, MANY_ROWS, load.rows_per_second),
        _between(LITTLE_EVENTS, MANY_EVENTS, load.events_per_second),
    )
    if share > 0:
        return Rest(share * GATHER_SECONDS, Why.GATHERING, ends_with_news=False)
    return Rest(SECOND_LOOK_SECONDS, Why.KEEPING_UP, ends_with_news=True)


def _between(little: float, many: float, value: float) -> float:
    return min(1.0, max(0.0, (value - little) / (many - little)))

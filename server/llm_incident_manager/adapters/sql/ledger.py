"""Whether the ledger of events adds up: what is asked of a database, and how its answers are judged. Runs nothing.

Retention takes old events and incidents away, so that something may be missing that was there once. What it can have
taken is told apart from what it cannot: see `Kept`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from llm_incident_manager.adapters.sql import queries
from llm_incident_manager.config.keeping import Retention
from llm_incident_manager.domain.disposition import COUNTED, REASONS, WITHOUT_INCIDENT, Disposition
from llm_incident_manager.domain.ids import first_of
from llm_incident_manager.domain.lifecycle import State, is_open
from llm_incident_manager.domain.time import DAY, HOUR, Instant

FIRST = 5
"""Offenders of one check that are named."""

CLOCKS = HOUR
"""Servers and this program may be so far apart in what time it is."""

Questions = Mapping[str, str]
"""Statements by name."""

CHECKS: Mapping[str, str] = {
    "dispositions": "events have one disposition, with a reason that belongs to it",
    "event_incidents": "events that opened, joined or moved an incident name one that exists",
    "duplicates": "duplicates name the event that was accepted first",
    "incident_counts": "incidents count as many events as the ledger has for them and what was merged into them",
    "open_fingerprints": "open incidents share no fingerprint",
    "keys": "fingerprints are held by the open incidents that have them, and by nobody else",
    "idempotency": "idempotency keys name an accepted event",
    "producers": "producers have come as far as their runs of events, which do not overlap",
    "segments": "runs of a producer's events name each event once, and all of them exist",
}
"""The checks in their order, each with what holds when it finds nothing."""


class Kept(NamedTuple):
    """From when on nothing can have been taken by retention: events and incidents."""

    events: Instant
    incidents: Instant


class Run(NamedTuple):
    """A row of producer_segment; `first` is the number that its first event's id stands for."""

    producer: str
    sequence: int
    events: int
    first: int
    tenant: str
    at: Instant

    @property
    def last(self) -> int:
        """The id of its last event, as a number."""
        return self.first + self.events - 1


@dataclass(slots=True)
class Finding:
    """What one check found: how many rows it looked at, how many are wrong, how many retention has left incomplete."""

    name: str
    looked_at: int = 0
    wrong: int = 0
    retention: int = 0
    first: list[str] = field(default_factory=list)

    @property
    def holds(self) -> str:
        """What holds when nothing is wrong."""
        return CHECKS[self.name]

    def add(self, what: str, *, explained: bool) -> None:
        """Counts an offender, and names it while there are few."""
        if explained:
            self.retention += 1
            return
        self.wrong += 1
        if len(self.first) < FIRST:
            self.first.append(what)

    def add_row(self, row: Sequence[Any]) -> None:
        """Counts an offender that a statement of shared/ledger.sql has found."""
        name, text, other, explained = row
        ending = "" if other is None else f" {shown(other)}"
        self.add(f"{shown(name)} {text}{ending}", explained=bool(explained))


@dataclass(frozen=True, slots=True)
class Report:
    """All findings, and the sum that everything else stands on."""

    store: str
    dispositions: Mapping[str, int]
    findings: Sequence[Finding]

    @property
    def accepted(self) -> int:
        """Events in the ledger."""
        return sum(self.dispositions.values())

    @property
    def adds_up(self) -> bool:
        """Whether no check found anything."""
        return not any(finding.wrong for finding in self.findings)


class Runs:
    """Judges the runs of producers' events as they come in the order of their events."""

    def __init__(self, kept: Kept) -> None:
        """`kept` tells which of their events may be gone."""
        self.finding = Finding("segments")
        self._kept = kept
        self._end = -1

    def take(self, run: Run) -> None:
        """Looks whether a run begins behind the one before it."""
        self.finding.looked_at += 1
        if run.events < 1 or run.first <= self._end:
            self.finding.add(f"{_named(run)} names events of the run before it again", explained=False)
        self._end = max(self._end, run.last)

    def compare(self, run: Run, found: int) -> None:
        """Compares a run with how many events the ledger has between its first and its last id."""
        if found != run.events:
            text = f"{_named(run)} has {run.events} events, and the ledger {found} of them"
            self.finding.add(text, explained=found < run.events and run.at < self._kept.events)


def kept(retention: Retention, now: Instant) -> Kept:
    """What the settings keep for certain. Above retention.max_bytes ledger rows go after a day."""
    ages = [days * DAY for days in (retention.events_days,) if days] + ([DAY] if retention.max_bytes else [])
    events = now - min(ages) + CLOCKS if ages else 0
    incidents = now - retention.incidents_days * DAY + CLOCKS if retention.incidents_days else 0
    return Kept(Instant(events), Instant(incidents))


def statements(found: Kept, id_literal: str, held_many: str) -> Questions:
    """The questions. `id_literal` is how a dialect writes an id, `held_many` asks for the fingerprints of incidents
    that hold several."""
    texts = queries.load(f"{__package__}.shared")
    places = {
        "{reasons}": " OR ".join(_allowed(disposition) for disposition in REASONS),
        "{without_incident}": ", ".join(f"'{reason}'" for reason in sorted(WITHOUT_INCIDENT)),
        "{counted}": ", ".join(str(int(disposition)) for disposition in sorted(COUNTED)),
        "{duplicate}": str(int(Disposition.DUPLICATE)),
        "{held}": f"{texts['held_plain']} UNION ALL {held_many}",
        "{finished}": ", ".join(f"'{state}'" for state in State if not is_open(state)),  # behind what contains it
        "{events}": id_literal.format(first_of(found.events)),
        "{incidents}": id_literal.format(first_of(found.incidents)),
        "{since}": str(max(found)),
    }
    return {name: _filled(text, places) for name, text in texts.items()}


def shown(name: object) -> str:
    """An id as its text; any other name as it is."""
    digits = name.hex() if isinstance(name, bytes) else str(name)
    if not isinstance(name, bytes) or len(name) != 16:
        return digits
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _named(run: Run) -> str:
    return f"{run.producer} from number {run.sequence}"


def _allowed(disposition: Disposition) -> str:
    reasons = ", ".join(f"'{reason}'" for reason in sorted(REASONS[disposition]))
    return f"(disposition = {int(disposition)} AND reason IN ({reasons}))"


def _filled(text: str, places: Mapping[str, str]) -> str:
    for place, words in places.items():
        text = text.replace(place, words)
    return text

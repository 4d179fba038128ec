"""Compliance: what a framework asks for, what counts as evidence for it, and what a report says. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import NamedTuple, TypeAlias

from llm_incident_manager.domain.filters import Filter
from llm_incident_manager.domain.ids import IncidentId
from llm_incident_manager.domain.lifecycle import State
from llm_incident_manager.domain.sla import Promise
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.domain.timeline import TimelineKind


class Status(StrEnum):
    """What the records show."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_APPLICABLE = "NOT_APPLICABLE"


class Gravity(IntEnum):
    """How grave it is when a control is not met."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """The incident's timeline tells it: an entry of one of these kinds; of moves from state to state only those into
    one of `states`. Within so many microseconds of the opening, or until the deadline of a promise, when that is
    given."""

    kinds: frozenset[TimelineKind]
    states: frozenset[State] = frozenset()
    within: int | None = None
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody was told of it: a notification that was sent, within so many microseconds of the opening if given."""

    within: int | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """A link with this title hangs on it, regardless of case, put there within so many microseconds of the opening if
    given."""

    title: str
    within: int | None = None


@dataclass(frozen=True, slots=True)
class RootCause:
    """Its resolution names the cause."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The server goes by a setting: its value is one of these words, or a number between `least` and `most`; 0 means
    for ever, which `unlimited` lets pass."""

    key: str
    words: frozenset[str] = frozenset()
    least: int | None = None
    most: int | None = None
    unlimited: bool = False


@dataclass(frozen=True, slots=True)
class Audited:
    """The audit trail has records of the period."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A signed checkpoint, whose signature is right, is not older than the last record of the period; but for so many
    microseconds in which it may still be made."""

    grace: int


@dataclass(frozen=True, slots=True)
class KeysUsed:
    """No API key counts that nobody has used for so many microseconds."""

    within: int


OfIncidents: TypeAlias = Entry | Told | Attached | RootCause
"""What is asked of each incident."""

OfSystem: TypeAlias = Setting | Audited | Sealed | KeysUsed
"""What is asked of the server, or of the tenant as a whole."""

Test: TypeAlias = OfIncidents | OfSystem


@dataclass(frozen=True, slots=True)
class Requirement:
    """What has to be shown for a control: any of the tests will do. `applies_to` are the incidents that it is asked of;
    None when it is asked of the system. `evidence` and `remedy` are sentences."""

    id: str
    evidence: str
    remedy: str
    any_of: tuple[Test, ...]
    applies_to: Filter | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """Something a framework asks for; `source` says where, `text` says what in our words."""

    id: str
    title: str
    source: str
    text: str
    gravity: Gravity
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Framework:
    """A dated set of controls. `version` and `effective_date` are dates; `aliases` are other names it goes by."""

    id: str
    name: str
    edition: str
    version: str
    effective_date: str
    notice: str
    controls: tuple[Control, ...]
    aliases: tuple[str, ...] = ()


class Reference(NamedTuple):
    """A record that shows something: its id, beginning with its kind, what it shows, and when that was."""

    id: str
    summary: str
    at: Instant | None = None


class Finding(NamedTuple):
    """For what evidence is missing: an incident, or the system (None), and why."""

    incident: IncidentId | None
    number: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """What the records show for one requirement of a control. Lists are cut off; the counts are not."""

    control: Control
    requirement: Requirement
    status: Status
    reason: str
    applicable: int
    failed: int
    pending: int
    evidence: Sequence[Reference]
    evidence_count: int
    findings: Sequence[Finding]


class Period(NamedTuple):
    """Incidents that were created from `start` to before `end`, and of these only that match `filter`."""

    start: Instant
    end: Instant
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What the records of a period show for a framework. `incidents`: to so many at least one requirement applied."""

    framework: Framework
    period: Period
    incidents: int
    lines: Sequence[Line]

    def count(self, status: Status) -> int:
        """How many lines have that status."""
        return sum(line.status is status for line in self.lines)

    @property
    def status(self) -> Status:
        """FAILED when a line has failed, NOT_APPLICABLE when none applies, else PASSED."""
        if self.count(Status.FAILED):
            return Status.FAILED
        return Status.PASSED if self.count(Status.PASSED) else Status.NOT_APPLICABLE

    @property
    def rate(self) -> float | None:
        """Lines that passed of those that apply; None when none does."""
        passed, failed = self.count(Status.PASSED), self.count(Status.FAILED)
        return passed / (passed + failed) if passed + failed else None

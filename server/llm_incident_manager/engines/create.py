"""Decides what a fresh event does: open an incident, attach to the open one, move it, or nothing, and why."""

from dataclasses import dataclass
from typing import Protocol

from llm_incident_manager.domain.disposition import Reason
from llm_incident_manager.domain.event import Action
from llm_incident_manager.domain.lifecycle import State, Verb
from llm_incident_manager.domain.severity import Severity
from llm_incident_manager.domain.time import Instant


@dataclass(frozen=True, slots=True)
class Open:
    """A new incident."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Attach:
    """One more event of the open incident; it may raise its severity or show that the problem came back."""

    reason: Reason = Reason.OPEN_INCIDENT
    raises: bool = False
    recurs: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """The source says what became of the open incident."""

    verb: Verb
    reason: Reason


@dataclass(frozen=True, slots=True)
class Record:
    """Kept for correlation; no incident is touched."""

    reason: Reason = Reason.CHANGE_RECORDED


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing to act on."""

    reason: Reason


Decision = Open | Attach | Move | Record | Ignore

ATTACH = Attach()
RECORD = Record()
_ACKNOWLEDGE = Move(Verb.ACKNOWLEDGE, Reason.ACKNOWLEDGED)
_RESOLVE = Move(Verb.RESOLVE, Reason.RESOLVED)
_NOTHING_OPEN = Ignore(Reason.NO_OPEN_INCIDENT)
_TAKEN_ALREADY = Ignore(Reason.ALREADY_ACKNOWLEDGED)


class Holder(Protocol):
    """What the decision needs to know of the open incident."""

    state: State
    severity: Severity
    last_seen: Instant


def trigger(
    event_time: Instant, severity: Severity, holder: Holder | None, window: int, *, known: bool
) -> Open | Attach:
    """A trigger always attaches while an incident is open. A gap on event time longer than `window` (microseconds)
    marks it recurred; a more severe event raises it. `known`: a resolved incident had the same fingerprint."""
    if holder is None:
        return Open(Reason.AFTER_RESOLUTION if known else Reason.FIRST_OF_ITS_KIND)
    raises = severity < holder.severity
    recurs = event_time - holder.last_seen > window
    if not raises and not recurs:
        return ATTACH
    return Attach(Reason.SEVERITY_RAISED if raises else Reason.RECURRED, raises, recurs)


def decide(
    action: Action, event_time: Instant, severity: Severity, holder: Holder | None, window: int, *, known: bool
) -> Decision:
    """What the event does. `severity` is the one triage gave it."""
    if action is Action.TRIGGER:
        return trigger(event_time, severity, holder, window, known=known)
    if action is Action.CHANGE:
        return RECORD
    if holder is None:
        return _NOTHING_OPEN
    if action is Action.RESOLVE:
        return _RESOLVE
    return _ACKNOWLEDGE if holder.state is State.NEW else _TAKEN_ALREADY

"""What an agent remembers of a directive, and what follows from it. Pure: no disk, no clock, no handler."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent.clock import Moment, elapsed


class State(StrEnum):
    """Where a directive stands at this agent. The two -ing states are written before something is done."""

    ACCEPTED = "accepted"
    APPLYING = "applying"
    APPLIED = "applied"
    REVERTING = "reverting"
    REVERTED = "reverted"
    FAILED = "failed"
    REJECTED = "rejected"


FINAL = frozenset({State.REVERTED, State.FAILED, State.REJECTED})

REPORTED_AS: "Mapping[State, msg.DirectiveState.ValueType]" = {
    State.ACCEPTED: msg.DirectiveState.DIRECTIVE_STATE_ACCEPTED,
    State.APPLIED: msg.DirectiveState.DIRECTIVE_STATE_APPLIED,
    State.FAILED: msg.DirectiveState.DIRECTIVE_STATE_FAILED,
    State.REJECTED: msg.DirectiveState.DIRECTIVE_STATE_REJECTED,
    State.REVERTED: msg.DirectiveState.DIRECTIVE_STATE_REVERTED,
}
"""What the manager is told; the states that are missing here are nobody else's business."""


@dataclass(frozen=True, slots=True)
class Said:
    """A state that the manager is to hear of. `wall` is when, in seconds since 1970."""

    state: State
    reason: str
    wall: float


@dataclass(frozen=True, slots=True)
class Record:
    """A directive at this agent. `begin_before` is how many seconds after `received` it may be begun."""

    directive: msg.Directive
    state: State
    received: Moment
    reason: str = ""
    begin_before: float | None = None
    applied: Moment | None = None
    undo: Mapping[str, str] = field(default_factory=dict)
    unsaid: tuple[Said, ...] = ()

    def moved(self, state: State, now: Moment, reason: str = "") -> "Record":
        """In another state, which is to be reported if the manager cares."""
        said = (*self.unsaid, Said(state, reason, now.wall)) if state in REPORTED_AS else self.unsaid
        applied = now if state is State.APPLIED and self.applied is None else self.applied
        return replace(self, state=state, reason=reason, applied=applied, unsaid=said)

    def heard(self, state: int) -> "Record":
        """The manager has recorded this report."""
        return replace(self, unsaid=tuple(said for said in self.unsaid if REPORTED_AS[said.state] != state))

    def seconds_left(self, now: Moment) -> float:
        """How long an applied directive still holds; 0 or less when its time is over."""
        ttl = self.directive.ttl.ToNanoseconds() / 1e9
        return ttl if self.applied is None else ttl - elapsed(self.applied, now)

    def is_too_late(self, now: Moment) -> bool:
        """Whether it may not be begun any more."""
        return self.begin_before is not None and elapsed(self.received, now) > self.begin_before


class Next(StrEnum):
    """What is to be done with a directive."""

    NOTHING = "nothing"
    TAKE = "take"
    BEGIN = "begin"
    HOLD = "hold"
    RESTORE = "restore"
    REVERT = "revert"
    UNDO_INTERRUPTED = "undo_interrupted"
    REFUSE_LATE = "refuse_late"
    NEVER = "never"
    REPEAT = "repeat"


def on_order(known: Record | None, command: int) -> Next:
    """What an order asks for, which may come any number of times and in any order."""
    revert = command == msg.DirectiveCommand.DIRECTIVE_COMMAND_REVERT
    if known is None:
        return Next.NEVER if revert else Next.TAKE
    if revert and known.state in {State.APPLIED, State.REVERTING}:
        return Next.REVERT
    if revert and known.state is State.ACCEPTED:
        return Next.NEVER
    return Next.REPEAT


def after_restart(record: Record, now: Moment) -> Next:
    """What is to be done first by a program that finds this record."""
    match record.state:
        case State.ACCEPTED:
            return Next.REFUSE_LATE if record.is_too_late(now) else Next.BEGIN
        case State.APPLYING:
            return Next.UNDO_INTERRUPTED
        case State.APPLIED:
            return Next.RESTORE if record.seconds_left(now) > 0 else Next.REVERT
        case State.REVERTING:
            return Next.REVERT
        case _:
            return Next.NOTHING


def report_of(record: Record, said: Said) -> msg.DirectiveReport:
    """What the manager is told."""
    report = msg.DirectiveReport(directive_id=record.directive.id, state=REPORTED_AS[said.state], reason=said.reason)
    report.time.FromNanoseconds(int(said.wall * 1e9))
    return report

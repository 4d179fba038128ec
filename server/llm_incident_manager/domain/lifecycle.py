"""The state × verb table: which verb moves an incident where. Everything else about moving is derived from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from llm_incident_manager.domain import errors


class State(StrEnum):
    """Where an incident stands."""

    NEW = "NEW"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    IN_PROGRESS = "IN_PROGRESS"
    ESCALATED = "ESCALATED"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"


class Verb(StrEnum):
    """What can be asked of an incident's state."""

    ACKNOWLEDGE = "acknowledge"
    START_WORK = "start_work"
    ESCALATE = "escalate"
    DE_ESCALATE = "de_escalate"
    RESOLVE = "resolve"
    CLOSE = "close"
    REOPEN = "reopen"


OPEN_STATES = frozenset({State.NEW, State.ACKNOWLEDGED, State.IN_PROGRESS, State.ESCALATED})

PATHS: Mapping[tuple[State, Verb], tuple[State, ...]] = {
    (State.NEW, Verb.ACKNOWLEDGE): (State.ACKNOWLEDGED,),
    (State.NEW, Verb.ESCALATE): (State.ESCALATED,),
    (State.ACKNOWLEDGED, Verb.START_WORK): (State.IN_PROGRESS,),
    (State.ACKNOWLEDGED, Verb.ESCALATE): (State.ESCALATED,),
    (State.ACKNOWLEDGED, Verb.RESOLVE): (State.IN_PROGRESS, State.RESOLVED),
    (State.IN_PROGRESS, Verb.ESCALATE): (State.ESCALATED,),
    (State.IN_PROGRESS, Verb.RESOLVE): (State.RESOLVED,),
    (State.ESCALATED, Verb.DE_ESCALATE): (State.IN_PROGRESS,),
    (State.ESCALATED, Verb.RESOLVE): (State.IN_PROGRESS, State.RESOLVED),
    (State.RESOLVED, Verb.CLOSE): (State.CLOSED,),
    (State.RESOLVED, Verb.REOPEN): (State.IN_PROGRESS,),
    (State.CLOSED, Verb.REOPEN): (State.IN_PROGRESS,),
}
"""The states passed through, last one included. A pair that is neither here, in FORCED nor in REPEATS is refused."""

FORCED: Mapping[tuple[State, Verb], tuple[State, ...]] = {
    (State.NEW, Verb.RESOLVE): (State.RESOLVED,),
}
"""Only for a source event, an automated actor, or a person who insists."""

REPEATS = frozenset({(State.ACKNOWLEDGED, Verb.ACKNOWLEDGE), (State.RESOLVED, Verb.RESOLVE)})
"""Asking again for what is already so changes nothing and is no error."""


@dataclass(frozen=True, slots=True)
class Step:
    """One move, with the verb that stands for it in the timeline."""

    before: State
    after: State
    verb: Verb


def is_open(state: State) -> bool:
    """Whether the incident still needs somebody."""
    return state in OPEN_STATES


def allowed(state: State) -> tuple[Verb, ...]:
    """The verbs that move an incident on from a state, without force."""
    return tuple(verb for verb in Verb if (state, verb) in PATHS)


def steps(state: State, verb: Verb, *, force: bool = False) -> tuple[Step, ...]:
    """The moves a verb makes; none when it repeats what is already so.

    Raises IllegalTransition, naming the verbs allowed now, for every pair outside the table.
    """
    pair = (state, verb)
    if pair in REPEATS:
        return ()
    path = PATHS.get(pair) or (FORCED.get(pair) if force else None)
    if path is None:
        raise errors.IllegalTransition(state, verb, allowed(state), forcible=pair in FORCED)
    return tuple(_named(before, after, verb) for before, after in zip((state, *path), path, strict=False))


def _named(before: State, after: State, asked: Verb) -> Step:
    direct = [verb for (state, verb), path in PATHS.items() if state == before and path == (after,)]
    return Step(before, after, asked if asked in direct or not direct else direct[0])

"""The state × verb table is total, and says what the state machine draws."""

import itertools

import pytest

from llm_incident_manager.domain import lifecycle
from llm_incident_manager.domain.errors import IllegalTransition
from llm_incident_manager.domain.lifecycle import State, Verb

DRAWN = {
    "NEW": {"acknowledge": "ACKNOWLEDGED", "escalate": "ESCALATED"},
    "ACKNOWLEDGED": {
        "acknowledge": "same",
        "start_work": "IN_PROGRESS",
        "escalate": "ESCALATED",
        "resolve": "IN_PROGRESS RESOLVED",
    },
    "IN_PROGRESS": {"escalate": "ESCALATED", "resolve": "RESOLVED"},
    "ESCALATED": {"de_escalate": "IN_PROGRESS", "resolve": "IN_PROGRESS RESOLVED"},
    "RESOLVED": {"resolve": "same", "close": "CLOSED", "reopen": "IN_PROGRESS"},
    "CLOSED": {"reopen": "IN_PROGRESS"},
}
"""The picture, written out: what each verb does in each state; "same" changes nothing; what is missing is refused."""


@pytest.mark.parametrize(("state", "verb"), list(itertools.product(State, Verb)))
def test_every_pair_does_what_is_drawn_or_is_refused_with_the_verbs_allowed(state: State, verb: Verb) -> None:
    drawn = DRAWN[state].get(verb)
    if drawn is None:
        with pytest.raises(IllegalTransition) as refused:
            lifecycle.steps(state, verb)
        assert refused.value.metadata["allowed"] == ",".join(lifecycle.allowed(state))
    elif drawn == "same":
        assert lifecycle.steps(state, verb) == ()
    else:
        assert [step.after for step in lifecycle.steps(state, verb)] == drawn.split()


def test_a_new_incident_is_resolved_only_by_force() -> None:
    with pytest.raises(IllegalTransition, match="force"):
        lifecycle.steps(State.NEW, Verb.RESOLVE)
    assert [step.after for step in lifecycle.steps(State.NEW, Verb.RESOLVE, force=True)] == [State.RESOLVED]


def test_force_opens_no_other_way() -> None:
    for state, verb in itertools.product(State, Verb):
        if DRAWN[state].get(verb) is None and (state, verb) != (State.NEW, Verb.RESOLVE):
            with pytest.raises(IllegalTransition):
                lifecycle.steps(state, verb, force=True)


def test_an_implied_step_is_named_by_the_verb_that_would_have_made_it() -> None:
    assert [step.verb for step in lifecycle.steps(State.ACKNOWLEDGED, Verb.RESOLVE)] == ["start_work", "resolve"]
    assert [step.verb for step in lifecycle.steps(State.ESCALATED, Verb.RESOLVE)] == ["de_escalate", "resolve"]


def test_every_state_can_be_reached_from_new_and_left() -> None:
    reached = {State.NEW}
    while True:
        more = {path[-1] for (state, _), path in lifecycle.PATHS.items() if state in reached} | reached
        if more == reached:
            break
        reached = more
    assert reached == set(State)
    assert all(lifecycle.allowed(state) for state in State)

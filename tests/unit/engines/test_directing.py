"""What becomes of a directive: every move that the table allows, and none other."""

from dataclasses import replace
from itertools import product

import pytest

from llm_incident_manager.domain import directives
from llm_incident_manager.domain.directives import (
    MOVES,
    OF_AGENTS,
    Change,
    Delivery,
    Directive,
    DirectiveAction,
    DirectiveState,
    Order,
    Parameters,
    Target,
    Wanted,
)
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.time import MINUTE, SECOND, Instant
from llm_incident_manager.engines import directing
from llm_incident_manager.engines.directing import Ignored
from tests.support.builders import NOW, TENANT

S = DirectiveState
ORDER = Order(DirectiveAction.FAIL_OVER_MODEL, Target(("a",), model="gpt"), Parameters({"to": "x"}), MINUTE)
GRACE = 90 * SECOND


def standing(*states: DirectiveState, by_other: bool = False, **delivery: object) -> Directive:
    """A directive that stands so at as many agents."""
    each = [
        replace(Delivery(f"agent-{n}", state, "before", NOW, attempts=1), **delivery)  # type: ignore[arg-type]
        for n, state in enumerate(states)
    ]
    return Directive("d", TENANT, ORDER, by_other, "why", "ann", NOW, NOW, tuple(each), approved_at=NOW)


def later(micros: int) -> Instant:
    return Instant(NOW + micros)


@pytest.mark.parametrize(("before", "after"), sorted(product(S, OF_AGENTS)))
def test_a_report_moves_where_the_table_allows_it(before: DirectiveState, after: DirectiveState) -> None:
    done = directing.report(standing(before), "agent-0", after, "said", at=NOW, now=NOW, grace=GRACE)
    if after is before:
        assert done == Ignored("")
    elif after in MOVES[before]:
        assert isinstance(done, Change)
        assert (done.directive.state, done.directive.state_reason) == (after, "said")
    else:
        assert isinstance(done, Ignored)
        assert before in done.why


def test_who_was_never_sent_it_has_nothing_to_report() -> None:
    unsent = standing(S.EXPIRED, attempts=0)
    assert isinstance(directing.report(unsent, "agent-0", S.APPLIED, "", at=NOW, now=NOW, grace=0), Ignored)
    assert isinstance(directing.report(unsent, "nobody", S.APPLIED, "", at=NOW, now=NOW, grace=0), Ignored)


def test_an_approval_counts_from_its_own_moment() -> None:
    change = directing.approve(standing(S.PENDING_APPROVAL), "ann", later(SECOND))
    (delivery,) = change.deliveries
    assert (delivery.state, delivery.wanted) == (S.APPROVED, Wanted.APPLY)
    assert delivery.due_at == change.directive.expire_at == later(SECOND + MINUTE)


def test_a_wide_one_needs_a_second_person() -> None:
    wide = standing(S.PENDING_APPROVAL, S.PENDING_APPROVAL, by_other=True)
    with pytest.raises(DomainError) as refused:
        directing.approve(wide, "ann", NOW)
    assert refused.value.reason is ErrorReason.SECOND_PERSON_NEEDED
    assert directing.approve(wide, "bob", NOW).directive.state is S.APPROVED


@pytest.mark.parametrize("state", [state for state in S if state is not S.PENDING_APPROVAL])
def test_nothing_is_approved_twice(state: DirectiveState) -> None:
    with pytest.raises(DomainError) as refused:
        directing.approve(standing(state), "bob", NOW)
    assert refused.value.reason is ErrorReason.ILLEGAL_DIRECTIVE_MOVE


@pytest.mark.parametrize(
    ("state", "after", "wanted"),
    [
        (S.PENDING_APPROVAL, S.CANCELED, Wanted.NOTHING),  # nobody was sent it
        (S.APPROVED, S.CANCELED, Wanted.NOTHING),
        (S.SENT, S.SENT, Wanted.REVERT),  # the agent may have it: it answers
        (S.APPLIED, S.APPLIED, Wanted.REVERT),
    ],
)
def test_a_directive_is_taken_back(state: DirectiveState, after: DirectiveState, wanted: Wanted) -> None:
    (delivery,) = directing.cancel(standing(state), "bob", NOW).deliveries
    assert (delivery.state, delivery.wanted) == (after, wanted)


@pytest.mark.parametrize("state", [S.REJECTED, S.REVERTED, S.EXPIRED, S.FAILED, S.CANCELED])
def test_what_is_over_is_not_taken_back(state: DirectiveState) -> None:
    with pytest.raises(DomainError):
        directing.cancel(standing(state), "bob", NOW)


def test_it_is_sent_again_until_it_is_answered_and_not_after_its_time() -> None:
    approved = directing.approve(standing(S.PENDING_APPROVAL, attempts=0), "ann", NOW).directive
    once = directing.send(approved, {"agent-0"}, NOW)
    assert once is not None
    assert (once.directive.state, once.deliveries[0].attempts) == (S.SENT, 1)
    again = directing.send(once.directive, {"agent-0"}, later(SECOND))
    assert again is not None
    assert (again.directive.state, again.deliveries[0].attempts) == (S.SENT, 2)
    assert directing.send(again.directive, {"agent-0"}, later(MINUTE)) is None
    answered = directing.report(again.directive, "agent-0", S.APPLIED, "", at=NOW, now=NOW, grace=GRACE)
    assert isinstance(answered, Change)
    assert directing.send(answered.directive, {"agent-0"}, NOW) is None


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (S.PENDING_APPROVAL, "approved"),
        (S.APPROVED, "reached"),
        (S.SENT, "did not say"),
        (S.APPLIED, "reverts it by itself"),
    ],
)
def test_what_is_due_is_over(state: DirectiveState, word: str) -> None:
    assert directing.expire(standing(state, due_at=later(1)), NOW) is None
    change = directing.expire(standing(state, due_at=later(1)), later(1))
    assert change is not None
    assert (change.directive.state, change.deliveries[0].due_at) == (S.EXPIRED, None)
    assert word in change.directive.state_reason


def test_what_holds_is_over_a_while_after_its_time_counted_from_when_it_was_applied() -> None:
    done = directing.report(standing(S.SENT), "agent-0", S.APPLIED, "", at=later(5), now=later(9), grace=GRACE)
    assert isinstance(done, Change)
    assert done.deliveries[0].due_at == later(5 + MINUTE + GRACE)


def test_a_clock_that_is_wrong_moves_no_end() -> None:
    for at, counted in ((later(-MINUTE), NOW), (later(MINUTE), later(9))):
        done = directing.report(standing(S.SENT), "agent-0", S.APPLIED, "", at=at, now=later(9), grace=0)
        assert isinstance(done, Change)
        assert done.deliveries[0].applied_at == counted


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ((S.APPLIED, S.SENT), S.SENT),  # under way: the least advanced
        ((S.APPLIED, S.FAILED), S.APPLIED),
        ((S.REVERTED, S.FAILED), S.FAILED),  # over: the worst
        ((S.REVERTED, S.REVERTED), S.REVERTED),
    ],
)
def test_several_agents_have_one_state_together(states: tuple[DirectiveState, ...], whole: DirectiveState) -> None:
    assert directives.overall(states) is whole


@pytest.mark.parametrize(
    ("target", "agents", "wide"),
    [
        (Target(("a",), model="gpt"), 1, False),
        (Target(("a",)), 1, True),  # all traffic of an agent
        (Target(service="chat", model="gpt"), 2, True),
    ],
)
def test_how_wide_it_is_says_who_approves_it(target: Target, agents: int, *, wide: bool) -> None:
    assert directives.breadth(target, agents)[0] is wide

"""What becomes of a directive: at its approval, when it is taken back, sent, reported on, or its time is over."""

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from llm_incident_manager.domain import directives
from llm_incident_manager.domain.directives import Change, Delivery, Directive, DirectiveState, Wanted
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.time import Instant, rfc3339

S = DirectiveState


class Ignored(NamedTuple):
    """A report that changes nothing, and why. An empty `why`: it was recorded before."""

    why: str


def approve(directive: Directive, by: str, now: Instant, why: str = "") -> Change:
    """Lets it be sent. Raises SECOND_PERSON_NEEDED, ILLEGAL_DIRECTIVE_MOVE."""
    if directive.state is not S.PENDING_APPROVAL:
        raise directives.illegal(directive, "approve")
    if directive.by_other and by == directive.created_by:
        text = f"directive {directive.id} was made by {by}: {directive.scope}"
        metadata = {"directive": directive.id, "create_actor": directive.created_by}
        raise DomainError(ErrorReason.SECOND_PERSON_NEEDED, text, metadata)
    expire_at = Instant(now + directive.order.ttl)
    reason = f"approved by {by}" + (f": {why}" if why else "")
    moved = tuple(
        _moved(each, S.APPROVED, reason, now, due_at=expire_at, wanted=Wanted.APPLY) for each in directive.deliveries
    )
    return _change(replace(directive, approved_by=by, approved_at=now, expire_at=expire_at), moved, now)


def cancel(directive: Directive, by: str, now: Instant, why: str = "") -> Change:
    """Takes it back: nobody is sent it any more, and who was is told to revert it. Raises ILLEGAL_DIRECTIVE_MOVE."""
    reason = f"canceled by {by}" + (f": {why}" if why else "")
    unsent = [_moved(each, S.CANCELED, reason, now) for each in directives.unsent(directive)]
    told = [replace(each, wanted=Wanted.REVERT) for each in directives.revertible(directive)]
    if not unsent and not told:
        if directive.revert_requested:
            return Change(directive, ())
        raise directives.illegal(directive, "cancel", ": it is over")
    reverting = bool(told) or directive.revert_requested
    return _change(replace(directive, revert_requested=reverting), (*unsent, *told), now)


def send(directive: Directive, agent_ids: Collection[str], now: Instant) -> Change | None:
    """It goes to these agents now, for the first time or again; None when there is nothing to send."""
    late = directive.expire_at is not None and directive.expire_at <= now
    sent = []
    for delivery in directive.deliveries:
        if delivery.agent_id not in agent_ids or delivery.wanted is Wanted.NOTHING:
            continue
        if delivery.wanted is Wanted.APPLY and late:
            continue
        counted = replace(delivery, attempts=delivery.attempts + 1)
        if delivery.state is S.APPROVED:
            counted = replace(counted, state=S.SENT, reason=f"sent to {delivery.agent_id}", updated_at=now)
        sent.append(counted)
    return _change(directive, tuple(sent), now) if sent else None


def report(
    directive: Directive, agent_id: str, state: DirectiveState, reason: str, *, at: Instant, now: Instant, grace: int
) -> Change | Ignored:
    """An agent tells what became of it at `at`. `grace` microseconds after its time it should have told of the end."""
    delivery = directive.at(agent_id)
    if delivery is None or not delivery.attempts:
        return Ignored("it was never sent to this agent")
    if delivery.state is state:
        return Ignored("")
    if state not in directives.MOVES[delivery.state]:
        return Ignored(f"it is {delivery.state}, from which it cannot become {state}")
    why = reason or f"reported by {agent_id}"
    at = Instant(max(min(at, now), directive.approved_at or at))  # the agent's clock may be wrong
    match state:
        case S.ACCEPTED:
            moved = _moved(delivery, state, why, now, due_at=delivery.due_at, wanted=delivery.wanted)
        case S.APPLIED:
            over = Instant(at + directive.order.ttl + grace)
            wanted = Wanted.REVERT if delivery.wanted is Wanted.REVERT else Wanted.NOTHING
            moved = replace(_moved(delivery, state, why, now, due_at=over, wanted=wanted), applied_at=at)
        case _:
            moved = _moved(delivery, state, why, now)
    return _change(directive, (moved,), now)


def expire(directive: Directive, now: Instant) -> Change | None:
    """What is due is over; None when nothing is. Where it holds the agent reverts it itself, and may still say so."""
    due = [each for each in directive.deliveries if each.due_at is not None and each.due_at <= now]
    moved = tuple(_moved(each, S.EXPIRED, _why_over(each), now) for each in due if S.EXPIRED in _moves(each))
    return _change(directive, moved, now) if moved else None


def _why_over(delivery: Delivery) -> str:
    match delivery.state:
        case S.PENDING_APPROVAL:
            return "nobody approved it in time"
        case S.APPROVED:
            return "the agent could not be reached in time"
        case S.APPLIED:
            since = "" if delivery.applied_at is None else f" that began at {rfc3339(delivery.applied_at)}"
            return f"its time{since} is over: the agent reverts it by itself, and has not said so yet"
        case _:
            return "the agent did not say in time what became of it"


def _moves(delivery: Delivery) -> frozenset[DirectiveState]:
    return directives.MOVES[delivery.state]


def _moved(
    delivery: Delivery,
    state: DirectiveState,
    reason: str,
    now: Instant,
    *,
    due_at: Instant | None = None,
    wanted: Wanted = Wanted.NOTHING,
) -> Delivery:
    return replace(delivery, state=state, reason=reason, updated_at=now, due_at=due_at, wanted=wanted)


def _change(directive: Directive, moved: tuple[Delivery, ...], now: Instant) -> Change:
    return Change(directive.changed({each.agent_id: each for each in moved}, now), moved)

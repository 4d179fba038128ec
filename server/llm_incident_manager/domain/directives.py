"""Directives: what Edge-Agents are told to do, and the one table of the states these can have at an agent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import NamedTuple

from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.event import NO_FLAGS, NO_NUMBERS, NOTHING
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant


class DirectiveAction(StrEnum):
    """What an agent is told to do."""

    FAIL_OVER_MODEL = "FAIL_OVER_MODEL"
    RATE_LIMIT = "RATE_LIMIT"
    DISABLE_TOOL = "DISABLE_TOOL"
    TIGHTEN_POLICY = "TIGHTEN_POLICY"
    SHED_TRAFFIC = "SHED_TRAFFIC"
    CUSTOM = "CUSTOM"


class DirectiveState(StrEnum):
    """Where a directive stands at an agent."""

    PENDING_APPROVAL = "PENDING_APPROVAL"
    APPROVED = "APPROVED"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    APPLIED = "APPLIED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    REVERTED = "REVERTED"
    EXPIRED = "EXPIRED"
    CANCELED = "CANCELED"


S = DirectiveState

MOVES: Mapping[DirectiveState, frozenset[DirectiveState]] = {
    S.PENDING_APPROVAL: frozenset({S.APPROVED, S.CANCELED, S.EXPIRED}),
    S.APPROVED: frozenset({S.SENT, S.CANCELED, S.EXPIRED}),
    S.SENT: frozenset({S.ACCEPTED, S.APPLIED, S.FAILED, S.REJECTED, S.REVERTED, S.EXPIRED}),
    S.ACCEPTED: frozenset({S.APPLIED, S.FAILED, S.REJECTED, S.REVERTED, S.EXPIRED}),
    S.APPLIED: frozenset({S.FAILED, S.REVERTED, S.EXPIRED}),
    S.FAILED: frozenset({S.REVERTED}),
    S.REJECTED: frozenset(),
    S.REVERTED: frozenset(),
    S.EXPIRED: frozenset({S.APPLIED, S.FAILED, S.REJECTED, S.REVERTED}),
    S.CANCELED: frozenset(),
}
"""The allowed moves. From EXPIRED on an agent may still tell late what it did while nobody heard it. FAILED is where a
directive could not be applied, or not be reverted: a later attempt of the agent to revert it may still succeed."""

OF_AGENTS = frozenset({S.ACCEPTED, S.APPLIED, S.FAILED, S.REJECTED, S.REVERTED})
"""What agents report."""
UNANSWERED = frozenset({S.SENT, S.ACCEPTED})
_UNSENT = frozenset({S.PENDING_APPROVAL, S.APPROVED})
_UNDER_WAY = (S.PENDING_APPROVAL, S.APPROVED, S.SENT, S.ACCEPTED, S.APPLIED)
_OVER = (S.FAILED, S.EXPIRED, S.REJECTED, S.REVERTED, S.CANCELED)
_REVERTIBLE = frozenset({S.SENT, S.ACCEPTED, S.APPLIED})


class Wanted(IntEnum):
    """What an agent has yet to be told, or to answer."""

    NOTHING = 0
    APPLY = 1
    REVERT = 2


class Parameters(NamedTuple):
    """Parameters by type and name."""

    texts: Mapping[str, str] = NOTHING
    numbers: Mapping[str, float] = NO_NUMBERS
    flags: Mapping[str, bool] = NO_FLAGS


class Target(NamedTuple):
    """Which agents (those named, or all that match), and of their traffic which model, tool and consumer."""

    agent_ids: tuple[str, ...] = ()
    service: str = ""
    environment: str = ""
    labels: Mapping[str, str] = NOTHING
    model: str = ""
    tool: str = ""
    consumer: str = ""

    @property
    def names_traffic(self) -> bool:
        """Whether it is about a part of the traffic only."""
        return bool(self.model or self.tool or self.consumer)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants agents to do; `ttl` in microseconds."""

    action: DirectiveAction
    target: Target
    parameters: Parameters
    ttl: int
    rollback: Parameters | None = None
    reason: str = ""
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a directive stands at one agent. `due_at`: when its time is over, or the agent should have said so."""

    agent_id: str
    state: DirectiveState
    reason: str
    updated_at: Instant
    applied_at: Instant | None = None
    attempts: int = 0
    due_at: Instant | None = None
    wanted: Wanted = Wanted.NOTHING


@dataclass(frozen=True, slots=True)
class Directive:
    """A directive and how it stands at each of its agents."""

    id: str
    tenant: TenantId
    order: Order
    by_other: bool
    scope: str
    created_by: str
    created_at: Instant
    updated_at: Instant
    deliveries: tuple[Delivery, ...]
    approved_by: str = ""
    approved_at: Instant | None = None
    expire_at: Instant | None = None
    revert_requested: bool = False
    revision: int = 1

    @property
    def state(self) -> DirectiveState:
        """Of the agents where it is not over the least advanced; where it is over everywhere, the worst."""
        return overall(each.state for each in self.deliveries)

    @property
    def state_reason(self) -> str:
        """Why it stands there."""
        state = self.state
        return next(each.reason for each in self.deliveries if each.state is state)

    def at(self, agent_id: str) -> Delivery | None:
        """How it stands at an agent; None when it is not for that one."""
        return next((each for each in self.deliveries if each.agent_id == agent_id), None)

    def changed(self, changes: Mapping[str, Delivery], now: Instant) -> "Directive":
        """With other deliveries in the places of those of the same agents."""
        deliveries = tuple(changes.get(each.agent_id, each) for each in self.deliveries)
        return replace(self, deliveries=deliveries, updated_at=now, revision=self.revision + 1)


class Change(NamedTuple):
    """A directive as it is from now on, and the deliveries that are others than before."""

    directive: Directive
    deliveries: tuple[Delivery, ...]


def overall(states: Iterable[DirectiveState]) -> DirectiveState:
    """One state for several agents."""
    found = set(states)
    return next(state for state in (*_UNDER_WAY, *_OVER) if state in found)


def breadth(target: Target, agents: int) -> tuple[bool, str]:
    """Whether a second person must approve it, and why or why not."""
    if agents > 1:
        return True, f"it is for {agents} agents: somebody else than its maker approves it"
    if not target.names_traffic:
        return True, "it is for all traffic of an agent: somebody else than its maker approves it"
    return False, "it is for one agent and a part of its traffic: its maker may approve it"


_REQUIRED: Mapping[DirectiveAction, tuple[str, str]] = {
    DirectiveAction.FAIL_OVER_MODEL: ("texts", "to"),
    DirectiveAction.RATE_LIMIT: ("numbers", "requests_per_second"),
    DirectiveAction.TIGHTEN_POLICY: ("texts", "policy"),
    DirectiveAction.SHED_TRAFFIC: ("numbers", "ratio"),
    DirectiveAction.CUSTOM: ("texts", "name"),
}


def violations(order: Order) -> list[Violation]:
    """What is wrong with an order beside the shape of its fields."""
    found = []
    kind, name = _REQUIRED.get(order.action, ("", ""))
    given = getattr(order.parameters, kind) if kind else {}
    field = f"parameters.{kind}"
    if kind and not given.get(name):
        found.append(Violation(field, f"{field}: {order.action} needs {name!r}", "directive.parameter"))
    elif order.action is DirectiveAction.SHED_TRAFFIC and not 0 < given[name] <= 1:
        text = f"{field}: ratio = {given[name]} must be above 0 and at most 1"
        found.append(Violation(field, text, "directive.parameter"))
    elif order.action is DirectiveAction.RATE_LIMIT and given[name] < 0:
        text = f"{field}: requests_per_second = {given[name]} must not be negative"
        found.append(Violation(field, text, "directive.parameter"))
    if order.action is DirectiveAction.DISABLE_TOOL and not order.target.tool:
        found.append(Violation("target.tool", "target.tool: DISABLE_TOOL needs the tool's name", "directive.tool"))
    target = order.target
    if not (target.agent_ids or target.service or target.environment or target.labels):
        text = "target: name agents, or what they have in common (service, environment, labels)"
        found.append(Violation("target", text, "directive.target"))
    return found


def illegal(directive: Directive, verb: str, hint: str = "") -> DomainError:
    """The refusal of a verb."""
    text = f"cannot {verb} directive {directive.id} that is {directive.state}{hint}"
    return DomainError(
        ErrorReason.ILLEGAL_DIRECTIVE_MOVE, text, {"directive": directive.id, "state": directive.state, "verb": verb}
    )


def revertible(directive: Directive) -> list[Delivery]:
    """Where agents have to be told that it is taken back."""
    return [each for each in directive.deliveries if each.state in _REVERTIBLE and each.wanted is not Wanted.REVERT]


def unsent(directive: Directive) -> list[Delivery]:
    """Where no agent has heard of it."""
    return [each for each in directive.deliveries if each.state in _UNSENT]

"""Directives to Edge-Agents: made, approved, taken back, sent, reported on. Each move with its audit record, and told
in the timeline of the incident that the directive is for."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from llm_incident_manager.domain import directives
from llm_incident_manager.domain.agents import Agent
from llm_incident_manager.domain.directives import Change, Delivery, Directive, DirectiveState, Order
from llm_incident_manager.domain.disposition import Violation
from llm_incident_manager.domain.errors import InvalidFields, NotFound
from llm_incident_manager.domain.ids import IncidentId, TenantId
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.domain.timeline import BY_SYSTEM, AuditRecord, Proof, TimelineKind
from llm_incident_manager.engines import directing
from llm_incident_manager.engines.directing import Ignored
from llm_incident_manager.ports import told
from llm_incident_manager.ports.agent_store import AgentKey, AgentQuery
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.ids import Ids
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.ports.told import Happening
from llm_incident_manager.usecases.caller import Caller

ACTOR = "edge-agents"
"""Who does what nobody asks for, in audit and timeline."""
PAGE = 1_000
NAMED = 20
"""So many agents an audit record names."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What directives may be: times in microseconds. `grace` is how long after its time an agent may take to say that
    it has reverted one."""

    least_ttl: int
    most_ttl: int
    most_agents: int
    approve_within: int
    grace: int


class Report(NamedTuple):
    """What an agent tells of a directive; `at` by its clock, None: now."""

    directive_id: str
    state: DirectiveState
    reason: str = ""
    at: Instant | None = None


class Act(NamedTuple):
    """A verb, who did it and why."""

    verb: str
    actor: str
    why: str = ""
    proof: Proof = BY_SYSTEM


class Directives:
    """What people and agents do with directives, in units of work."""

    def __init__(self, clock: Clock, ids: Ids, bounds: Bounds) -> None:
        """The store comes with each unit of work."""
        self._clock = clock
        self._ids = ids
        self._bounds = bounds

    async def create(self, tx: Transaction, changes: Changes, caller: Caller, order: Order) -> Directive:
        """Makes a directive, which waits for approval. Raises InvalidFields, NotFound."""
        self._check(order)
        if order.incident_id:
            order = replace(order, incident_id=(await tx.peek(caller.tenant, order.incident_id)).id)
        agents = await self._agents(tx, caller.tenant, order)
        now = self._clock.now()
        by_other, scope = directives.breadth(order.target, len(agents))
        due_at = Instant(now + self._bounds.approve_within)
        state, reason = DirectiveState.PENDING_APPROVAL, "it waits for approval"
        deliveries = tuple(Delivery(each, state, reason, now, due_at=due_at) for each in agents)
        made = Directive(
            id=self._ids.new(now),
            tenant=caller.tenant,
            order=order,
            by_other=by_other,
            scope=scope,
            created_by=caller.subject,
            created_at=now,
            updated_at=now,
            deliveries=deliveries,
        )
        await self._record(tx, changes, None, Change(made, deliveries), Act("create", caller.subject, order.reason))
        return made

    async def approve(self, tx: Transaction, changes: Changes, caller: Caller, id_: str, why: str) -> Directive:
        """Lets it be sent. Raises NotFound, SECOND_PERSON_NEEDED, ILLEGAL_DIRECTIVE_MOVE."""
        before = await known(tx, caller.tenant, id_)
        change = directing.approve(before, caller.subject, self._clock.now(), why)
        await self._record(tx, changes, before, change, Act("approve", caller.subject, why))
        return change.directive

    async def cancel(self, tx: Transaction, changes: Changes, caller: Caller, id_: str, why: str) -> Directive:
        """Takes it back. Raises NotFound, ILLEGAL_DIRECTIVE_MOVE."""
        before = await known(tx, caller.tenant, id_)
        change = directing.cancel(before, caller.subject, self._clock.now(), why)
        if change.deliveries:
            await self._record(tx, changes, before, change, Act("cancel", caller.subject, why))
        return change.directive

    async def send(
        self, tx: Transaction, changes: Changes, tenant: TenantId, id_: str, agent_ids: Collection[str]
    ) -> Change | None:
        """It goes to these agents now; None when there is nothing to send any more."""
        before = await tx.directive(tenant, id_)
        change = None if before is None else directing.send(before, agent_ids, self._clock.now())
        if change is not None:
            await self._record(tx, changes, before, change, Act("send", ACTOR))
        return change

    async def report(
        self, tx: Transaction, changes: Changes, key: AgentKey, reporter: Caller, report: Report
    ) -> Change | Ignored:
        """An agent tells what became of it."""
        before = await tx.directive(key.tenant, report.directive_id)
        if before is None:
            return Ignored("there is no such directive")
        now, grace, state = self._clock.now(), self._bounds.grace, report.state
        done = directing.report(before, key.agent_id, state, report.reason, at=report.at or now, now=now, grace=grace)
        if isinstance(done, Change):
            act = Act(_VERBS[state], reporter.subject, report.reason, reporter.proof)
            await self._record(tx, changes, before, done, act)
        return done

    async def expire(self, tx: Transaction, changes: Changes, limit: int) -> int:
        """What is due is over; returns how many directives there were."""
        now = self._clock.now()
        due = await tx.due_directives(now, limit)
        for before in due:
            if (change := directing.expire(before, now)) is not None:
                await self._record(tx, changes, before, change, Act("expire", ACTOR))
        return len(due)

    def _check(self, order: Order) -> None:
        found, bounds = directives.violations(order), self._bounds
        if not bounds.least_ttl <= order.ttl <= bounds.most_ttl:
            least, most = bounds.least_ttl // SECOND, bounds.most_ttl // SECOND
            text = f"ttl: {order.ttl / SECOND:g} s must be from {least} s to {most} s (edge_agents.directive_*_secs)"
            found.append(Violation("ttl", text, "directive.ttl"))
        if found:
            raise InvalidFields(found)

    async def _agents(self, tx: Transaction, tenant: TenantId, order: Order) -> list[str]:
        target, most = order.target, self._bounds.most_agents
        if target.agent_ids:
            for agent_id in target.agent_ids:
                if await tx.agent(tenant, agent_id) is None:
                    raise NotFound("edge agent", agent_id, "it never had a session")
            found = sorted(target.agent_ids)
        else:
            found = [each.agent_id async for each in _all_agents(tx, tenant, target.service) if _fits(each, order)]
        if not found:
            text = f"target: no agent that can {order.action} matches: ListEdgeAgents shows what there is"
            raise InvalidFields([Violation("target", text, "directive.target")])
        if len(found) > most:
            text = f"target: {len(found)} agents are more than {most} (edge_agents.max_agents_per_directive): narrow it"
            raise InvalidFields([Violation("target", text, "directive.breadth")])
        return found

    async def _record(
        self, tx: Transaction, changes: Changes, before: Directive | None, change: Change, act: Act
    ) -> None:
        """The change with its audit record, and its entry in the incident's timeline."""
        directive, now = change.directive, self._clock.now()
        changes.agents.append(change)
        was, is_ = differing(before, change)
        details = {"action": str(directive.order.action), **({"reason": act.why} if act.why else {})}
        if len(change.deliveries) == 1:
            details["agent_id"] = change.deliveries[0].agent_id
        action, resource = f"directive.{act.verb}", f"directive/{directive.id}"
        record = AuditRecord(directive.tenant, now, act.actor, action, resource, details, was, is_, act.proof)
        changes.audit.append(record)
        if directive.order.incident_id:
            await self._tell(tx, changes, directive, act)

    async def _tell(self, tx: Transaction, changes: Changes, directive: Directive, act: Act) -> None:
        found = await tx.peek_each(directive.tenant, [IncidentId(directive.order.incident_id)])
        for incident in found:  # retention may have taken it
            text = f"Directive {directive.order.action} is {directive.state} ({act.verb} by {act.actor})"
            text += f": {act.why}" if act.why else ""
            details = {"directive_id": directive.id, "directive_verb": act.verb, "state": str(directive.state)}
            happening = Happening(TimelineKind.DIRECTIVE, act.actor, text, details)
            told.tell(changes, self._ids, incident, happening, self._clock.now())


_VERBS: Mapping[DirectiveState, str] = {
    DirectiveState.ACCEPTED: "accept",
    DirectiveState.APPLIED: "apply",
    DirectiveState.FAILED: "fail",
    DirectiveState.REJECTED: "reject",
    DirectiveState.REVERTED: "revert",
}


async def known(tx: Transaction, tenant: TenantId, id_: str) -> Directive:
    """A directive, locked. Raises NotFound."""
    found = await tx.directive(tenant, id_)
    if found is None:
        raise NotFound("directive", id_)
    return found


def differing(before: Directive | None, change: Change) -> tuple[dict[str, str], dict[str, str]]:
    """What the audit says of a change: the fields as they were and as they are."""
    was = {} if before is None else _fields(before, change)
    is_ = _fields(change.directive, change)
    if before is not None:
        same = {name for name, value in is_.items() if was.get(name) == value}
        return {n: v for n, v in was.items() if n not in same}, {n: v for n, v in is_.items() if n not in same}
    order = change.directive.order
    target = order.target
    made = {
        "ttl_secs": str(order.ttl // SECOND),
        "service": target.service,
        "environment": target.environment,
        "model": target.model,
        "tool": target.tool,
        "consumer": target.consumer,
        **order.parameters.texts,
        **{name: str(value) for name, value in (*order.parameters.numbers.items(), *order.parameters.flags.items())},
    }
    return was, {**{name: value for name, value in made.items() if value}, **is_}


def _fields(directive: Directive, change: Change) -> dict[str, str]:
    """Its state, and that at the agents of the change."""
    found = {
        "state": str(directive.state),
        "revert_requested": str(directive.revert_requested).lower(),
        "approved_by": directive.approved_by,
    }
    for moved in change.deliveries[:NAMED]:
        here = directive.at(moved.agent_id)
        if here is not None:
            found[f"agent {moved.agent_id}"] = str(here.state)
            found[f"attempts {moved.agent_id}"] = str(here.attempts)
    return found


def _fits(agent: Agent, order: Order) -> bool:
    target, profile = order.target, agent.profile
    return (
        order.action in profile.actions
        and target.environment in ("", profile.environment)
        and all(profile.labels.get(name) == value for name, value in target.labels.items())
    )


async def _all_agents(tx: Transaction, tenant: TenantId, service: str) -> AsyncIterator[Agent]:
    after = ""
    while True:
        found = await tx.agents(AgentQuery(tenant, service=service, after=after, limit=PAGE))
        for each in found:
            yield each
        if len(found) < PAGE:
            return
        after = found[-1].agent_id

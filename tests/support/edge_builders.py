"""Edge-Agents, directives and requests for models: complete, valid, and hard to write down."""

from dataclasses import replace

from llm_incident_manager.adapters.ids import Uuid7
from llm_incident_manager.domain.agents import Agent, AgentState, Profile
from llm_incident_manager.domain.directives import (
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
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.inference import Inference, InferencePriority, InferenceStatus
from llm_incident_manager.domain.time import MINUTE, Instant
from tests.support.builders import NOW, TENANT

IDS = Uuid7()
PROFILE = Profile("Edge \U0001f9ed", "1.0", 1, ("RATE_LIMIT",), ("redactor",), "chat", "prod", {"zone": "a"})


def an_agent(agent_id: str, tenant: TenantId = TENANT, **fields: object) -> Agent:
    made = Agent(
        tenant, agent_id, "key:1", PROFILE, AgentState.CONNECTED, 1, "here", NOW, NOW, NOW, Instant(NOW + MINUTE)
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def a_directive(*agents: str, tenant: TenantId = TENANT, incident: str = "", **delivery: object) -> Directive:
    order = Order(
        DirectiveAction.RATE_LIMIT,
        Target(agents, labels={"zone": "a"}, consumer="k"),
        Parameters(numbers={"requests_per_second": 0.5}, flags={"hard": True}),
        MINUTE,
        Parameters(texts={"to": "what was before"}),
        "because",
        incident,
    )
    usual = Delivery("", DirectiveState.APPROVED, "yes", NOW, due_at=Instant(NOW + MINUTE), wanted=Wanted.APPLY)
    each = tuple(replace(usual, agent_id=one, **delivery) for one in sorted(agents))  # type: ignore[arg-type]
    made = Directive(IDS.new(NOW), tenant, order, True, "wide", "ann", NOW, NOW, each)
    return replace(made, approved_by="bob", approved_at=NOW, expire_at=Instant(NOW + MINUTE))


def a_request(name: str, **fields: object) -> Inference:
    made = Inference(
        *(TENANT, name, b"digest", "key:1", "redactor", "", InferencePriority.NORMAL, True, InferenceStatus.QUEUED),
        *(NOW, Instant(NOW + MINUTE), b"body"),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def whole(directive: Directive) -> Change:
    return Change(directive, directive.deliveries)

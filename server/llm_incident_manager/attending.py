"""What looks after Edge-Agents, put together."""

from llm_incident_manager.config import Settings
from llm_incident_manager.config.edge_agents_section import EdgeAgents
from llm_incident_manager.domain.event import Event
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.pipeline.tools import Tools
from llm_incident_manager.transport.handlers.agent_desk import AgentServices, configuration
from llm_incident_manager.usecases.agent_desk import AgentDesk
from llm_incident_manager.usecases.agent_sessions import Ground, Sessions
from llm_incident_manager.usecases.agent_watch import AgentWatch, Submit
from llm_incident_manager.usecases.directives import ACTOR, Bounds, Directives
from llm_incident_manager.usecases.inferring import Inferring, Queue
from llm_incident_manager.usecases.unit import Units


def build(settings: Settings, tools: Tools, runner: Runner, units: Units, server: str) -> AgentServices:
    """`server` names this start of the process: the sessions it has are told apart by that."""
    given = settings.edge_agents
    attention, metrics = given.attention(), tools.metrics
    directives = Directives(tools.clock, tools.ids, _bounds(given))
    sessions = Sessions(attention, metrics.agent_sessions)
    queue = Queue(given.max_waiting_inferences, given.max_inferences_per_agent)
    ground = Ground(tools.store, tools.clock, units, metrics, server)
    inferring = Inferring(ground, sessions, queue)
    return AgentServices(
        desk=AgentDesk(ground, directives, sessions, inferring),
        watch=AgentWatch(ground, _submit(tools, runner), attention, directives, inferring),
        directives=directives,
        configuration=configuration(given.agent_settings, given.telemetry_secs),
    )


def _bounds(given: EdgeAgents) -> Bounds:
    return Bounds(
        least_ttl=int(given.directive_min_secs * SECOND),
        most_ttl=int(given.directive_max_secs * SECOND),
        most_agents=given.max_agents_per_directive,
        approve_within=int(given.approve_within_secs * SECOND),
        grace=given.report_grace,
    )


def _submit(tools: Tools, runner: Runner) -> Submit:
    """The ingest path of a process that may take no calls: no batcher, one commit."""

    async def submit(tenant: TenantId, event: Event) -> None:
        submission = Submission(tenant, ACTOR, [event], tools.clock.now())
        runner.prepare(submission)
        await runner.commit([submission])
        if submission.error is not None:
            raise submission.error

    return submit

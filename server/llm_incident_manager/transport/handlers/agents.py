"""EdgeAgentService: sessions of agents, what there is of them, directives."""

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message
from incidentmanager.v1 import directive_pb2, edge_agent_service_pb2, edge_session_pb2

from llm_incident_manager.domain.directives import Directive
from llm_incident_manager.domain.errors import NotFound
from llm_incident_manager.ports.agent_store import AgentQuery, DirectiveQuery
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import Transaction
from llm_incident_manager.transport import paging
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers import access_desk, writes
from llm_incident_manager.transport.handlers.agent_session import AgentSession
from llm_incident_manager.transport.handlers.reception import CheckEvent, Reception
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import agents as translate
from llm_incident_manager.usecases import sight

pb = edge_agent_service_pb2
M = TypeVar("M", bound=Message)


class AgentHandlers:
    """Some methods of EdgeAgentService."""

    def __init__(self, services: Services, check_event: CheckEvent) -> None:
        """Asks these use cases."""
        self._on = services
        self._reception = Reception(services, check_event)

    def table(self) -> dict[str, Callable[..., Any]]:
        """Handlers by method name."""
        return {
            "Session": self.session,
            "ListEdgeAgents": self.list_agents,
            "GetEdgeAgent": self.get_agent,
            "CreateDirective": self.create,
            "ApproveDirective": self.approve,
            "CancelDirective": self.cancel,
            "GetDirective": self.get_directive,
            "ListDirectives": self.list_directives,
        }

    async def session(
        self, requests: AsyncIterator[edge_session_pb2.SessionRequest], call: Call
    ) -> AsyncIterator[edge_session_pb2.SessionResponse]:
        """The session of an agent."""
        session = AgentSession(self._on, self._on.agents, self._reception, call)
        async for reply in session.run(requests):
            yield reply

    async def list_agents(self, request: pb.ListEdgeAgentsRequest, call: Call) -> pb.ListEdgeAgentsResponse:
        """A page of agents."""
        state = translate.agent_state_in(request.state)
        tokens, scope = self._on.pages.tokens, ("edge agents", call.caller.tenant, state or "", request.service)
        size = paging.size_of(request.page_size, access_desk.DEFAULT, access_desk.MOST)
        after = str(tokens.open(scope, request.page_token)[0]) if request.page_token else ""
        query = AgentQuery(call.caller.tenant, state, request.service, after, size + 1)
        found = await self._on.store.agents(query)
        token = tokens.seal(scope, (found[size - 1].agent_id,)) if len(found) > size else ""
        return pb.ListEdgeAgentsResponse(agents=map(translate.agent, found[:size]), next_page_token=token)

    async def get_agent(self, request: pb.GetEdgeAgentRequest, call: Call) -> pb.GetEdgeAgentResponse:
        """One agent."""
        found = await self._on.store.agent(call.caller.tenant, request.agent_id)
        if found is None:
            raise NotFound("edge agent", request.agent_id)
        return pb.GetEdgeAgentResponse(agent=translate.agent(found))

    async def create(self, request: pb.CreateDirectiveRequest, call: Call) -> pb.CreateDirectiveResponse:
        """Makes a directive."""
        order = translate.order_in(request)

        async def work(tx: Transaction, changes: Changes) -> pb.CreateDirectiveResponse:
            made = await self._on.agents.directives.create(tx, changes, call.caller, order)
            return pb.CreateDirectiveResponse(directive=translate.directive(made))

        return await writes.write(self._on.units, call, request, pb.CreateDirectiveResponse, work)

    async def approve(self, request: pb.ApproveDirectiveRequest, call: Call) -> pb.ApproveDirectiveResponse:
        """Lets a directive be sent."""
        return await self._move(request, call, pb.ApproveDirectiveResponse, self._on.agents.directives.approve)

    async def cancel(self, request: pb.CancelDirectiveRequest, call: Call) -> pb.CancelDirectiveResponse:
        """Takes a directive back."""
        return await self._move(request, call, pb.CancelDirectiveResponse, self._on.agents.directives.cancel)

    async def _move(self, request: Any, call: Call, reply: type[M], verb: Callable[..., Any]) -> M:
        async def work(tx: Transaction, changes: Changes) -> M:
            moved: Directive = await verb(tx, changes, call.caller, request.directive_id.lower(), request.reason)
            return reply(directive=translate.directive(moved))

        return await writes.write(self._on.units, call, request, reply, work)

    async def get_directive(self, request: pb.GetDirectiveRequest, call: Call) -> pb.GetDirectiveResponse:
        """One directive."""
        found = await self._on.store.directive(call.caller.tenant, request.directive_id.lower())
        if found is None:
            raise NotFound("directive", request.directive_id)
        return pb.GetDirectiveResponse(directive=translate.directive(found))

    async def list_directives(self, request: pb.ListDirectivesRequest, call: Call) -> pb.ListDirectivesResponse:
        """A page of directives."""
        state, incident_id = translate.directive_state_in(request.state), request.incident_id
        if request.agent_id and await self._on.store.agent(call.caller.tenant, request.agent_id) is None:
            raise NotFound("edge agent", request.agent_id)
        if incident_id:
            incident_id = (await sight.incident(self._on.store, call.caller, incident_id)).id
        asked = (call.caller.tenant, state or "", request.agent_id, incident_id)
        tokens, scope = self._on.pages.tokens, ("directives", *asked)
        size = paging.size_of(request.page_size, access_desk.DEFAULT, access_desk.MOST)
        before = str(tokens.open(scope, request.page_token)[0]) if request.page_token else ""
        query = DirectiveQuery(call.caller.tenant, state, request.agent_id, incident_id, before=before, limit=size + 1)
        found = await self._on.store.directives(query)
        token = tokens.seal(scope, (found[size - 1].id,)) if len(found) > size else ""
        shown: list[directive_pb2.Directive] = [translate.directive(each) for each in found[:size]]
        return pb.ListDirectivesResponse(directives=shown, next_page_token=token)

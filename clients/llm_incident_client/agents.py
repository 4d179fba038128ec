"""The methods of EdgeAgentService."""

from collections.abc import AsyncGenerator, Iterable
from datetime import timedelta

from llm_incident_client import pb
from llm_incident_client.core import calls


class AgentCalls(calls.MethodGroup):
    """Edge-Agents, directives, and models near the traffic. All methods raise IncidentManagerError."""

    async def list_edge_agents(
        self,
        *,
        state: pb.EdgeAgentState.ValueType = pb.EdgeAgentState.EDGE_AGENT_STATE_UNSPECIFIED,
        service: str = "",
        page_size: int = 0,
        page_token: str = "",
    ) -> pb.ListEdgeAgentsResponse:
        """One page of agents by id."""
        request = pb.ListEdgeAgentsRequest(state=state, service=service, page_size=page_size, page_token=page_token)
        return await self._caller.unary(self._agents.ListEdgeAgents, request)

    async def iter_edge_agents(
        self,
        *,
        state: pb.EdgeAgentState.ValueType = pb.EdgeAgentState.EDGE_AGENT_STATE_UNSPECIFIED,
        service: str = "",
        page_size: int = 500,
    ) -> AsyncGenerator[pb.EdgeAgent, None]:
        """All agents by id."""
        token = ""
        while True:
            reply = await self.list_edge_agents(state=state, service=service, page_size=page_size, page_token=token)
            for agent in reply.agents:
                yield agent
            token = reply.next_page_token
            if not token:
                return

    async def get_edge_agent(self, agent_id: str) -> pb.EdgeAgent:
        """One agent."""
        return (await self._caller.unary(self._agents.GetEdgeAgent, pb.GetEdgeAgentRequest(agent_id=agent_id))).agent

    async def create_directive(
        self,
        action: pb.DirectiveAction.ValueType,
        target: pb.DirectiveTarget,
        ttl: timedelta,
        *,
        parameters: pb.DirectiveParameters | None = None,
        rollback: pb.DirectiveParameters | None = None,
        reason: str = "",
        incident_id: str = "",
        request_id: str = "",
    ) -> pb.Directive:
        """Makes a directive, which waits for approval."""
        held = pb.Duration()
        held.FromTimedelta(ttl)
        request = pb.CreateDirectiveRequest(
            action=action,
            target=target,
            parameters=parameters,
            ttl=held,
            rollback=rollback,
            reason=reason,
            incident_id=incident_id,
            request_id=request_id or calls.new_request_id(),
        )
        return (await self._caller.unary(self._agents.CreateDirective, request)).directive

    async def approve_directive(self, directive_id: str, *, reason: str = "", request_id: str = "") -> pb.Directive:
        """Lets a directive be sent."""
        request = pb.ApproveDirectiveRequest(
            directive_id=directive_id, reason=reason, request_id=request_id or calls.new_request_id()
        )
        return (await self._caller.unary(self._agents.ApproveDirective, request)).directive

    async def cancel_directive(self, directive_id: str, *, reason: str = "", request_id: str = "") -> pb.Directive:
        """Takes a directive back; agents that have it are told to revert it."""
        request = pb.CancelDirectiveRequest(
            directive_id=directive_id, reason=reason, request_id=request_id or calls.new_request_id()
        )
        return (await self._caller.unary(self._agents.CancelDirective, request)).directive

    async def get_directive(self, directive_id: str) -> pb.Directive:
        """One directive, with how it stands at each agent."""
        request = pb.GetDirectiveRequest(directive_id=directive_id)
        return (await self._caller.unary(self._agents.GetDirective, request)).directive

    async def list_directives(
        self,
        *,
        state: pb.DirectiveState.ValueType = pb.DirectiveState.DIRECTIVE_STATE_UNSPECIFIED,
        agent_id: str = "",
        incident_id: str = "",
        page_size: int = 0,
        page_token: str = "",
    ) -> pb.ListDirectivesResponse:
        """One page of directives, newest first."""
        request = pb.ListDirectivesRequest(
            state=state, agent_id=agent_id, incident_id=incident_id, page_size=page_size, page_token=page_token
        )
        return await self._caller.unary(self._agents.ListDirectives, request)

    async def iter_directives(
        self,
        *,
        state: pb.DirectiveState.ValueType = pb.DirectiveState.DIRECTIVE_STATE_UNSPECIFIED,
        agent_id: str = "",
        incident_id: str = "",
        page_size: int = 500,
    ) -> AsyncGenerator[pb.Directive, None]:
        """All directives that match, newest first."""
        token = ""
        while True:
            reply = await self.list_directives(
                state=state, agent_id=agent_id, incident_id=incident_id, page_size=page_size, page_token=token
            )
            for directive in reply.directives:
                yield directive
            token = reply.next_page_token
            if not token:
                return

    async def edge_session(self, requests: Iterable[pb.SessionRequest]) -> AsyncGenerator[pb.SessionResponse, None]:
        """One session of an agent, message by message, to the end of `requests`; it neither resends nor reconnects."""
        async for reply in self._caller.both(self._agents.Session, requests):
            yield reply

    async def submit_batch(
        self, requests: Iterable[pb.InferenceRequest], deadline: timedelta | None = None
    ) -> pb.SubmitBatchResponse:
        """Has agents run models; returns when each request has a result or is queued."""
        return await self._caller.unary(self._agents.SubmitBatch, pb.SubmitBatchRequest(requests=requests), deadline)

    async def stream_inference(
        self, requests: Iterable[pb.InferenceRequest]
    ) -> AsyncGenerator[pb.InferenceResult, None]:
        """Has agents run models; results come as they are there."""
        sent = [pb.StreamInferenceRequest(request=each) for each in requests]
        async for reply in self._caller.both(self._agents.StreamInference, sent):
            yield reply.result

# Written by `make gen` from llm_incident_client/agents.py: edit that file.
"""The methods of EdgeAgentService."""

from collections.abc import Iterable
from datetime import timedelta

from llm_incident_client import agents as asynchronous
from llm_incident_client import pb
from llm_incident_client.sync.blocking import Blocking
from llm_incident_client.sync.items import Items


class AgentCalls(Blocking):
    """Edge-Agents, directives, and models near the traffic. All methods raise IncidentManagerError."""

    def list_edge_agents(
        self,
        *,
        state: pb.EdgeAgentState.ValueType = pb.EdgeAgentState.EDGE_AGENT_STATE_UNSPECIFIED,
        service: str = "",
        page_size: int = 0,
        page_token: str = "",
    ) -> pb.ListEdgeAgentsResponse:
        """One page of agents by id."""
        return self.portal.wait(
            self._as(asynchronous.AgentCalls).list_edge_agents(
                state=state, service=service, page_size=page_size, page_token=page_token
            )
        )

    def iter_edge_agents(
        self,
        *,
        state: pb.EdgeAgentState.ValueType = pb.EdgeAgentState.EDGE_AGENT_STATE_UNSPECIFIED,
        service: str = "",
        page_size: int = 500,
    ) -> Items[pb.EdgeAgent]:
        """All agents by id."""
        return Items(
            self, self._as(asynchronous.AgentCalls).iter_edge_agents(state=state, service=service, page_size=page_size)
        )

    def get_edge_agent(self, agent_id: str) -> pb.EdgeAgent:
        """One agent."""
        return self.portal.wait(self._as(asynchronous.AgentCalls).get_edge_agent(agent_id))

    def create_directive(
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
        return self.portal.wait(
            self._as(asynchronous.AgentCalls).create_directive(
                action,
                target,
                ttl,
                parameters=parameters,
                rollback=rollback,
                reason=reason,
                incident_id=incident_id,
                request_id=request_id,
            )
        )

    def approve_directive(self, directive_id: str, *, reason: str = "", request_id: str = "") -> pb.Directive:
        """Lets a directive be sent."""
        return self.portal.wait(
            self._as(asynchronous.AgentCalls).approve_directive(directive_id, reason=reason, request_id=request_id)
        )

    def cancel_directive(self, directive_id: str, *, reason: str = "", request_id: str = "") -> pb.Directive:
        """Takes a directive back; agents that have it are told to revert it."""
        return self.portal.wait(
            self._as(asynchronous.AgentCalls).cancel_directive(directive_id, reason=reason, request_id=request_id)
        )

    def get_directive(self, directive_id: str) -> pb.Directive:
        """One directive, with how it stands at each agent."""
        return self.portal.wait(self._as(asynchronous.AgentCalls).get_directive(directive_id))

    def list_directives(
        self,
        *,
        state: pb.DirectiveState.ValueType = pb.DirectiveState.DIRECTIVE_STATE_UNSPECIFIED,
        agent_id: str = "",
        incident_id: str = "",
        page_size: int = 0,
        page_token: str = "",
    ) -> pb.ListDirectivesResponse:
        """One page of directives, newest first."""
        return self.portal.wait(
            self._as(asynchronous.AgentCalls).list_directives(
                state=state, agent_id=agent_id, incident_id=incident_id, page_size=page_size, page_token=page_token
            )
        )

    def iter_directives(
        self,
        *,
        state: pb.DirectiveState.ValueType = pb.DirectiveState.DIRECTIVE_STATE_UNSPECIFIED,
        agent_id: str = "",
        incident_id: str = "",
        page_size: int = 500,
    ) -> Items[pb.Directive]:
        """All directives that match, newest first."""
        return Items(
            self,
            self._as(asynchronous.AgentCalls).iter_directives(
                state=state, agent_id=agent_id, incident_id=incident_id, page_size=page_size
            ),
        )

    def edge_session(self, requests: Iterable[pb.SessionRequest]) -> Items[pb.SessionResponse]:
        """One session of an agent, message by message, to the end of `requests`; it neither resends nor reconnects."""
        return Items(self, self._as(asynchronous.AgentCalls).edge_session(list(requests)))

    def submit_batch(
        self, requests: Iterable[pb.InferenceRequest], deadline: timedelta | None = None
    ) -> pb.SubmitBatchResponse:
        """Has agents run models; returns when each request has a result or is queued."""
        return self.portal.wait(self._as(asynchronous.AgentCalls).submit_batch(list(requests), deadline))

    def stream_inference(self, requests: Iterable[pb.InferenceRequest]) -> Items[pb.InferenceResult]:
        """Has agents run models; results come as they are there."""
        return Items(self, self._as(asynchronous.AgentCalls).stream_inference(list(requests)))

"""An Edge-Agent as tests need it: one session, message by message, with nothing done by itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from incidentmanager.v1 import (
    directive_pb2,
    edge_agent_pb2,
    edge_agent_service_pb2,
    edge_inference_pb2,
    edge_session_pb2,
    event_pb2,
    ingest_service_pb2,
)
from incidentmanager.v1.edge_agent_service_pb2_grpc import EdgeAgentServiceStub

pb = edge_session_pb2
Response: TypeAlias = pb.SessionResponse
State: TypeAlias = directive_pb2.DirectiveState.ValueType
SECONDS = 20.0
FAIL_OVER = directive_pb2.DIRECTIVE_ACTION_FAIL_OVER_MODEL


def registration(agent_id: str, **given: Any) -> pb.EdgeAgentRegistration:  # noqa: ANN401 - what the message takes
    """Of an agent that can fail over, unless told otherwise."""
    able = edge_agent_pb2.EdgeAgentCapabilities(actions=[FAIL_OVER], models=given.pop("models", ()))
    usual = {"protocol_version": 1, "version": "1.2.3", "service": "chat", "environment": "production"}
    return pb.EdgeAgentRegistration(agent_id=agent_id, **{**usual, "capabilities": able, **given})


class Session:
    """One session; messages that nobody has asked for yet wait."""

    def __init__(self, call: Any) -> None:  # noqa: ANN401 - a call of grpc.aio
        self.call = call
        self.registered = pb.SessionRegistered()
        self._waiting: list[Response] = []

    async def send(self, **message: Any) -> None:  # noqa: ANN401 - what the message takes
        """Sends one message."""
        await self.call.write(pb.SessionRequest(**message))

    async def next(self, kind: str) -> Any:  # noqa: ANN401 - the message of that kind
        """The next message of a kind; others are kept."""
        for place, each in enumerate(self._waiting):
            if each.WhichOneof("message") == kind:
                return getattr(self._waiting.pop(place), kind)
        async with asyncio.timeout(SECONDS):
            while True:
                reply = await self.call.read()
                assert reply is not grpc.aio.EOF, f"the session ended before a {kind} came"
                if reply.WhichOneof("message") == kind:
                    return getattr(reply, kind)
                self._waiting.append(reply)

    async def silence(self, kind: str, seconds: float = 0.3) -> None:
        """Fails if a message of that kind comes within a moment."""
        try:
            async with asyncio.timeout(seconds):
                reply = await self.call.read()
        except TimeoutError:
            return
        assert reply.WhichOneof("message") != kind, reply
        self._waiting.append(reply)

    async def report(self, directive_id: str, state: State, reason: str = "") -> pb.DirectiveReported:
        """Tells what became of a directive, and waits until that is recorded."""
        await self.send(report=pb.DirectiveReport(directive_id=directive_id, state=state, reason=reason))
        reported: pb.DirectiveReported = await self.next("reported")
        assert (reported.directive_id, reported.state) == (directive_id, state)
        return reported

    async def refused(self) -> tuple[str, str, Mapping[str, str]]:
        """The code, reason and metadata that the session ends with."""
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await self._until_refused()
        return reason_of(ended.value)

    async def _until_refused(self) -> None:
        async with asyncio.timeout(SECONDS):
            while await self.call.read() is not grpc.aio.EOF:
                pass
        raise AssertionError("the session ended without an error")


def reason_of(error: grpc.aio.AioRpcError) -> tuple[str, str, Mapping[str, str]]:
    """The code, reason and metadata of an error."""
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    status_pb2.Status.FromString(details).details[0].Unpack(info)
    return error.code().name, info.reason, dict(info.metadata)


@asynccontextmanager
async def a_session(
    address: str, register: pb.EdgeAgentRegistration | None = None, metadata: Sequence[tuple[str, str]] = ()
) -> AsyncIterator[Session]:
    """A session that is registered, if told as what; its end is a cut, unless it was ended before."""
    async with grpc.aio.insecure_channel(address) as channel:
        session = Session(EdgeAgentServiceStub(channel).Session(metadata=metadata))
        if register is not None:
            await session.send(register=register)
            session.registered = await session.next("registered")
        try:
            yield session
        finally:
            session.call.cancel()


class Desk:
    """What people do, as somebody with these credentials."""

    def __init__(self, stub: Any, metadata: Sequence[tuple[str, str]]) -> None:  # noqa: ANN401 - a generated stub
        self._stub = stub
        self._metadata = metadata

    async def order(self, agent_ids: Sequence[str], **given: Any) -> directive_pb2.Directive:  # noqa: ANN401 - as above
        """A directive to agents: to fail over from gpt-4o, for a minute."""
        target = directive_pb2.DirectiveTarget(agent_ids=agent_ids, model=given.pop("model", "gpt-4o"))
        request = edge_agent_service_pb2.CreateDirectiveRequest(
            **{
                "action": FAIL_OVER,
                "target": target,
                "parameters": directive_pb2.DirectiveParameters(texts={"to": "claude-sonnet"}),
                "ttl": Duration(seconds=given.pop("seconds", 60)),
                **given,
            }
        )
        reply = await self._stub.CreateDirective(request, timeout=SECONDS, metadata=self._metadata)
        made: directive_pb2.Directive = reply.directive
        return made

    async def approve(self, id_: str) -> directive_pb2.Directive:
        """Lets it be sent."""
        request = edge_agent_service_pb2.ApproveDirectiveRequest(directive_id=id_)
        reply = await self._stub.ApproveDirective(request, timeout=SECONDS, metadata=self._metadata)
        made: directive_pb2.Directive = reply.directive
        return made

    async def cancel(self, id_: str) -> directive_pb2.Directive:
        """Takes it back."""
        request = edge_agent_service_pb2.CancelDirectiveRequest(directive_id=id_)
        reply = await self._stub.CancelDirective(request, timeout=SECONDS, metadata=self._metadata)
        made: directive_pb2.Directive = reply.directive
        return made

    async def directive(self, id_: str) -> directive_pb2.Directive:
        """As it is."""
        request = edge_agent_service_pb2.GetDirectiveRequest(directive_id=id_)
        reply = await self._stub.GetDirective(request, timeout=SECONDS, metadata=self._metadata)
        made: directive_pb2.Directive = reply.directive
        return made

    async def agent(self, agent_id: str) -> edge_agent_pb2.EdgeAgent:
        """As it is."""
        request = edge_agent_service_pb2.GetEdgeAgentRequest(agent_id=agent_id)
        reply = await self._stub.GetEdgeAgent(request, timeout=SECONDS, metadata=self._metadata)
        made: edge_agent_pb2.EdgeAgent = reply.agent
        return made

    async def until(self, id_: str, state: State) -> directive_pb2.Directive:
        """The directive once it is in that state."""
        async with asyncio.timeout(SECONDS):
            while (found := await self.directive(id_)).state != state:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.02)
        return found

    async def until_agent(self, agent_id: str, state: edge_agent_pb2.EdgeAgentState.ValueType) -> Any:  # noqa: ANN401
        """The agent once it is in that state."""
        async with asyncio.timeout(SECONDS):
            while (found := await self.agent(agent_id)).state != state:  # noqa: ASYNC110 - nobody tells us
                await asyncio.sleep(0.02)
        return found

    async def batch(
        self, requests: Sequence[edge_inference_pb2.InferenceRequest]
    ) -> Sequence[edge_inference_pb2.InferenceResult]:
        """What became of requests for models."""
        request = edge_agent_service_pb2.SubmitBatchRequest(requests=requests)
        reply = await self._stub.SubmitBatch(request, timeout=SECONDS, metadata=self._metadata)
        results: Sequence[edge_inference_pb2.InferenceResult] = reply.results
        return results


@asynccontextmanager
async def a_desk(address: str, metadata: Sequence[tuple[str, str]] = ()) -> AsyncIterator[Desk]:
    """Where people give directives."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield Desk(EdgeAgentServiceStub(channel), metadata)


def frame(first: int, *titles: str) -> ingest_service_pb2.EventFrame:
    """Events with these titles."""
    events = [event_pb2.Event(source="llm-edge-agent", title=title) for title in titles]
    return ingest_service_pb2.EventFrame(first_sequence=first, events=events)

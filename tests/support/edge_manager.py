"""A small real gRPC server that speaks an Edge-Agent's session and nothing else, for tests that steer its side."""

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import grpc

from llm_incident_client import pb
from llm_incident_client import pb_agents as msg
from tests.support.ledger import Ledger, Producer

_METHOD = "incidentmanager.v1.EdgeAgentService"
Replies = asyncio.Queue[msg.SessionResponse | None]
Context = grpc.aio.ServicerContext[msg.SessionRequest, msg.SessionResponse]


class EdgeManager:
    """Acknowledges events by the rules of the event stream; orders again with each session until it was answered."""

    def __init__(self, heartbeat: float = 30.0) -> None:
        self.events = Ledger()
        self.registrations: list[msg.EdgeAgentRegistration] = []
        self.reports: list[msg.DirectiveReport] = []
        self.telemetry: list[msg.EdgeAgentTelemetry] = []
        self.applied: list[msg.ConfigurationApplied] = []
        self.results: list[msg.InferenceResult] = []
        self.heartbeats = 0
        self.orders: dict[str, msg.DirectiveOrder] = {}
        self.configuration: msg.EdgeAgentConfiguration | None = None
        self.refuse_with: grpc.StatusCode | None = None
        self.records_reports = True
        self.answers_heartbeats = True
        self._heartbeat = heartbeat
        self._sessions: set[Replies] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        handlers = {
            "Session": grpc.stream_stream_rpc_method_handler(
                self._session,
                request_deserializer=msg.SessionRequest.FromString,
                response_serializer=msg.SessionResponse.SerializeToString,
            )
        }
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_METHOD, handlers),))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{port}")
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(None)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def connected(self) -> bool:
        return bool(self._sessions)

    def titles(self, agent: str = "edge-1") -> list[str]:
        return self.events.producers.get(agent, Producer()).titles

    def states(self, directive_id: str) -> list[str]:
        """What was reported of a directive, each state once."""
        names = [
            msg.DirectiveState.Name(report.state).removeprefix("DIRECTIVE_STATE_")
            for report in self.reports
            if report.directive_id == directive_id
        ]
        return list(dict.fromkeys(names))

    def order(self, order: msg.DirectiveOrder) -> None:
        self.orders[order.directive.id] = order
        self.send(msg.SessionResponse(order=order))

    def send(self, message: msg.SessionResponse) -> None:
        for replies in self._sessions:
            replies.put_nowait(message)

    async def _session(
        self, requests: AsyncIterator[msg.SessionRequest], context: Context
    ) -> AsyncIterator[msg.SessionResponse]:
        if self.refuse_with is not None:
            await context.abort(self.refuse_with, "refused by the test")
        replies: Replies = asyncio.Queue()
        reader = asyncio.create_task(self._read(requests, replies))
        try:
            while (reply := await replies.get()) is not None:
                yield reply
            await reader
        finally:
            self._sessions.discard(replies)
            reader.cancel()

    async def _read(self, requests: AsyncIterator[msg.SessionRequest], replies: Replies) -> None:
        producer = Producer()
        try:
            async for request in requests:
                if request.HasField("register"):
                    producer = self._register(request.register, replies)
                else:
                    await self._take(request, producer, replies)
        finally:
            replies.put_nowait(None)

    def _register(self, register: msg.EdgeAgentRegistration, replies: Replies) -> Producer:
        self.registrations.append(register)
        producer = self.events.producers.setdefault(register.agent_id, Producer())
        producer.epoch += 1
        registered = msg.SessionRegistered(
            epoch=producer.epoch,
            last_sequence=len(producer.titles),
            credits=self.events.credits,
            max_frame_events=self.events.max_frame,
            missed_heartbeats=3,
            protocol_version=1,
        )
        registered.heartbeat_interval.FromNanoseconds(int(self._heartbeat * 1e9))
        replies.put_nowait(msg.SessionResponse(registered=registered))
        self._sessions.add(replies)
        if self.configuration is not None and register.resume.configuration_version != self.configuration.version:
            replies.put_nowait(msg.SessionResponse(configuration=self.configuration))
        for order in self.orders.values():
            replies.put_nowait(msg.SessionResponse(order=order))
        return producer

    async def _take(self, request: msg.SessionRequest, producer: Producer, replies: Replies) -> None:
        match request.WhichOneof("message"):
            case "frame":
                await self.events.holding.wait()
                acks = self.events._commit(producer, request.frame).acks
                replies.put_nowait(msg.SessionResponse(acks=acks))
            case "heartbeat":
                self.heartbeats += 1
                if self.answers_heartbeats:
                    replies.put_nowait(msg.SessionResponse(heartbeat=request.heartbeat))
            case "telemetry":
                self.telemetry.append(request.telemetry)
            case "report":
                self._reported(request.report, replies)
            case "configuration_applied":
                self.applied.append(request.configuration_applied)
            case "inference_result":
                self.results.append(request.inference_result)

    def _reported(self, report: msg.DirectiveReport, replies: Replies) -> None:
        self.reports.append(report)
        if self.records_reports:
            self.orders.pop(report.directive_id, None)
            reported = msg.DirectiveReported(directive_id=report.directive_id, state=report.state)
            replies.put_nowait(msg.SessionResponse(reported=reported))


def event(number: int, severity: str = "P2") -> pb.Event:
    """An event that is told from all others by its title."""
    return pb.Event(source="edge-1", title=f"event {number}", severity=severity)

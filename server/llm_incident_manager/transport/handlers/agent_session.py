"""EdgeAgentService.Session: what an agent sends is taken in order; what it is told comes from several sides and is sent
as it comes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeAlias

from google.protobuf.duration_pb2 import Duration
from incidentmanager.v1 import edge_inference_pb2, edge_session_pb2, ingest_service_pb2

from llm_incident_manager.domain import scope
from llm_incident_manager.domain.agents import PROTOCOL_VERSION
from llm_incident_manager.domain.directives import Directive, Wanted
from llm_incident_manager.domain.errors import DomainError, InvalidFields
from llm_incident_manager.domain.inference import Inference
from llm_incident_manager.engines.admission import Priority
from llm_incident_manager.engines.directing import Ignored
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.telemetry import logs
from llm_incident_manager.transport import inspect
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.handlers.agent_desk import AgentServices
from llm_incident_manager.transport.handlers.event_line import EventLine, protocol
from llm_incident_manager.transport.handlers.reception import Reception
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.translate import agents as translate
from llm_incident_manager.transport.translate import times
from llm_incident_manager.usecases import sight
from llm_incident_manager.usecases.agent_desk import Opened
from llm_incident_manager.usecases.agent_sessions import Session
from llm_incident_manager.usecases.directives import Report

pb = edge_session_pb2
Request: TypeAlias = pb.SessionRequest
Response: TypeAlias = pb.SessionResponse
LATE_SECONDS = 10.0
"""What an agent has for its registration."""


@dataclass(slots=True)
class Out:
    """What is on its way to an agent: messages, then perhaps an error, and None at the end. Implements Outlet."""

    agent_id: str
    clock: Clock
    queue: asyncio.Queue[Response | Exception | None] = field(default_factory=asyncio.Queue)

    def put(self, message: Response) -> None:
        """Sends a message."""
        self.queue.put_nowait(message)

    def order(self, directive: Directive, wanted: Wanted) -> None:
        """A directive to apply or to revert."""
        order = translate.directive_order(directive, wanted, self.agent_id, self.clock.now())
        self.put(Response(order=order))

    def ask(self, inference: Inference) -> None:
        """A model to run."""
        self.put(Response(inference=edge_inference_pb2.InferenceRequest.FromString(inference.body)))

    def cut(self, error: DomainError) -> None:
        """Ends the session."""
        self.queue.put_nowait(error)

    def end(self) -> None:
        """Nothing more comes."""
        self.queue.put_nowait(None)


class AgentSession:
    """One session of one agent."""

    def __init__(self, services: Services, agents: AgentServices, reception: Reception, call: Call) -> None:
        """Serves this call."""
        self._on = services
        self._desk = agents.desk
        self._configuration = agents.configuration
        self._reception = reception
        self._call = call
        self._line: EventLine | None = None
        self._acks: asyncio.Task[None] | None = None
        self._done = False

    async def run(self, requests: AsyncIterator[Request]) -> AsyncIterator[Response]:
        """Messages until the agent is done, breaks the protocol, is fenced, or the server drains."""
        first = await self._registration(requests)
        out = Out(first.agent_id, self._on.clock)
        profile = translate.profile_in(first)
        sight.refuse(scope.outside(self._call.caller.condition, profile.service, profile.labels))
        async with self._on.door.writes.place(Priority.NORMAL):
            opened = await self._desk.register(self._call.caller, first.agent_id, profile, out)
        tasks = [
            asyncio.create_task(self._read(requests, opened, out), name="session-reader"),
            asyncio.create_task(self._await_drain(out), name="session-drain"),
        ]
        try:
            yield Response(registered=self._registered(opened, first))
            if first.resume.configuration_version != self._configuration.version:
                yield Response(configuration=self._configuration)
            while (item := await out.queue.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self._desk.leave(opened.session, clean=self._done and not self._on.drain.begun)
            tasks += [] if self._acks is None else [self._acks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _registration(self, requests: AsyncIterator[Request]) -> pb.EdgeAgentRegistration:
        try:
            async with asyncio.timeout(LATE_SECONDS):
                first = await anext(requests, None)
        except TimeoutError as late:
            raise protocol(f"no registration within {LATE_SECONDS:g} s", "register") from late
        if first is None or not first.HasField("register"):
            raise protocol("the first message must be `register` with an agent_id", "register")
        self._check(first)
        if first.register.traceparent:
            self._call.traceparent = first.register.traceparent
        self._call.facts["agent"] = first.register.agent_id
        return first.register

    def _check(self, request: Request) -> None:
        found = (*self._call.check(request), *inspect.violations(request))
        if found:
            raise InvalidFields(found)

    def _registered(self, opened: Opened, first: pb.EdgeAgentRegistration) -> pb.SessionRegistered:
        limits, attention = self._on.limits, self._desk.sessions.attention
        known, told = opened.producer.last_sequence, first.resume.acknowledged_sequence
        if told > known:
            meaning = "the database is an older one: what the agent has kept no copy of is lost"
            logs.get("edge_agents").error(
                "edge_agents.events_missing", agent=first.agent_id, acknowledged=told, known=known, meaning=meaning
            )
        interval = Duration()
        interval.FromNanoseconds(int(attention.heartbeat * 1e9))
        return pb.SessionRegistered(
            epoch=opened.session.epoch,
            last_sequence=known,
            credits=limits.credits,
            max_frame_events=limits.max_frame_events,
            heartbeat_interval=interval,
            missed_heartbeats=attention.missed,
            protocol_version=PROTOCOL_VERSION,
            time=times.timestamp(self._on.clock.now()),
        )

    async def _read(self, requests: AsyncIterator[Request], opened: Opened, out: Out) -> None:
        """Takes what the agent sends; whatever ends the session is queued behind what is on its way."""
        end: Exception | None = None
        try:
            async for request in requests:
                if self._on.drain.begun:
                    return
                await self._take(request, opened, out)
            self._done = True
        except Exception as error:  # noqa: BLE001  # run raises it
            end = error
        self._finish(out, end)

    async def _take(self, request: Request, opened: Opened, out: Out) -> None:
        session, kind = opened.session, request.WhichOneof("message")
        session.sign(self._on.clock.now())
        if kind == "frame":
            await self._line_of(opened, out).take(request.frame)
            return
        self._check(request)
        match kind:
            case "heartbeat":
                now = times.timestamp(self._on.clock.now())
                out.put(Response(heartbeat=pb.EdgeAgentHeartbeat(time=now, number=request.heartbeat.number)))
            case "telemetry":
                if not request.telemetry.HasField("time"):
                    request.telemetry.time.CopyFrom(times.timestamp(self._on.clock.now()))
                session.told_of(request.telemetry.SerializeToString(), self._on.clock.now())
            case "report":
                out.put(Response(reported=await self._reported(session, request.report)))
            case "configuration_applied":
                told = request.configuration_applied
                await self._desk.configured(session, self._call.caller, told.version, told.error)
            case "inference_result":
                result = request.inference_result
                data, error = result.SerializeToString(), translate.is_failure(result)
                await self._desk.inferring.finish(session, self._call.caller, result.request_id, data, error)
            case _:
                raise protocol("an agent registers once, and sends no empty messages", "frame")

    async def _reported(self, session: Session, report: pb.DirectiveReport) -> pb.DirectiveReported:
        state = translate.directive_state_in(report.state)
        assert state is not None  # the checker has seen to it
        at = times.instant(report.time) if report.HasField("time") else None
        told = Report(report.directive_id.lower(), state, report.reason, at)
        done = await self._desk.report(session, self._call.caller, told)
        ignored = done.why if isinstance(done, Ignored) else ""
        return pb.DirectiveReported(directive_id=report.directive_id, state=report.state, ignored=ignored)

    def _line_of(self, opened: Opened, out: Out) -> EventLine:
        """The events of the session; made with the first of them, as most sessions are idle."""
        if self._line is None:
            self._line = EventLine(self._on, self._reception, self._call, opened.producer)
            self._acks = asyncio.create_task(_acknowledge(self._line, out), name="session-acks")
        return self._line

    async def _await_drain(self, out: Out) -> None:
        await self._on.drain.wait()
        grace = Duration(seconds=int(self._on.drain.grace))
        out.put(Response(drain=ingest_service_pb2.StreamDrain(grace=grace)))
        self._finish(out, None)

    def _finish(self, out: Out, end: Exception | None) -> None:
        """Ends it once what is under way is acknowledged."""
        if self._line is not None:
            self._line.end(end)
        elif end is None:
            out.end()
        else:
            out.queue.put_nowait(end)


async def _acknowledge(line: EventLine, out: Out) -> None:
    """Passes acknowledgements on to the end."""
    try:
        async for acks in line.acks():
            out.put(Response(acks=acks))
    except Exception as error:  # noqa: BLE001  # run raises it
        out.queue.put_nowait(error)
    else:
        out.end()

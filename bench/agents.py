"""Edge-Agents: what idle sessions take of a server's memory and processor time, and how long it takes from the approval
of a directive until the agent has applied it and the manager knows. One server; agents and people are this process."""

import asyncio
import time
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from incidentmanager.v1 import directive_pb2, edge_agent_pb2, edge_session_pb2
from incidentmanager.v1 import edge_agent_service_pb2 as pb
from incidentmanager.v1.edge_agent_service_pb2_grpc import EdgeAgentServiceStub

from bench import measuring, surroundings
from bench.databases import Database
from bench.measuring import Line, Target
from bench.recorder import quantiles

SESSIONS = 5_000
DIRECTIVES = 200
IDLE_SECONDS = 10.0
AT_ONCE = 16
"""Registrations under way."""
_PER_CHANNEL = 500
_HEARTBEAT_SECONDS = 30.0
_FAIL_OVER = directive_pb2.DIRECTIVE_ACTION_FAIL_OVER_MODEL


def line(database: Database, sessions: int = SESSIONS) -> Line:
    """The figures."""
    database.also = {**database.also, "LLM_IM__EDGE_AGENTS__HEARTBEAT_SECS": str(_HEARTBEAT_SECONDS)}
    with measuring.server(database) as target:
        return asyncio.run(_measured(target, sessions))


async def _measured(target: Target, sessions: int) -> Line:
    before = target.child.peak_rss()
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.aio.insecure_channel(target.address, options) for _ in range(-(-sessions // _PER_CHANNEL))]
    try:
        agents = [_Agent(channels[n // _PER_CHANNEL], f"agent-{n:05}") for n in range(sessions)]
        began = time.perf_counter()
        places = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(agent.register(places) for agent in agents))
        registered = time.perf_counter() - began
        used = target.child.cpu_seconds()
        await asyncio.sleep(IDLE_SECONDS)
        idle = (target.child.cpu_seconds() - used) / IDLE_SECONDS
        delays = await _directed(target.address, agents)
        for agent in agents:
            agent.task.cancel()
        await asyncio.gather(*(agent.task for agent in agents), return_exceptions=True)
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))
    p50, p95, p99 = (round(1000 * value, 1) for value in quantiles([(each, 1) for each in delays]))
    rss = target.child.peak_rss()
    return {
        "sessions": sessions,
        "registered_per_second": round(sessions / registered),
        "rss_mb": rss >> 20,
        "kb_per_session": round((rss - before) / sessions / 1024, 1),
        "idle_cores": round(idle, 3),
        "heartbeat_seconds": _HEARTBEAT_SECONDS,
        "directives": len(delays),
        "approve_to_applied_p50_ms": p50,
        "approve_to_applied_p95_ms": p95,
        "approve_to_applied_p99_ms": p99,
        "load_average": surroundings.load_average(),
    }


async def _directed(address: str, agents: "list[_Agent]") -> list[float]:
    """Seconds from the call that approves until the report is recorded, of one directive after the other."""
    delays = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = EdgeAgentServiceStub(channel)
        for agent in agents[:: max(1, len(agents) // DIRECTIVES)][:DIRECTIVES]:
            request = pb.CreateDirectiveRequest(
                action=_FAIL_OVER,
                target=directive_pb2.DirectiveTarget(agent_ids=[agent.id], model="gpt-4o"),
                parameters=directive_pb2.DirectiveParameters(texts={"to": "another"}),
                ttl=Duration(seconds=600),
            )
            made = (await stub.CreateDirective(request)).directive
            began = time.perf_counter()
            await stub.ApproveDirective(pb.ApproveDirectiveRequest(directive_id=made.id))
            await agent.applied.wait()
            delays.append(time.perf_counter() - began)
    return delays


class _Agent:
    """Beats, and obeys at once."""

    def __init__(self, channel: grpc.aio.Channel, id_: str) -> None:
        self.id = id_
        self.applied = asyncio.Event()
        self._stub: Any = EdgeAgentServiceStub(channel)
        self._call: Any = None
        self.task: asyncio.Task[None]

    async def register(self, places: asyncio.Semaphore) -> None:
        able = edge_agent_pb2.EdgeAgentCapabilities(actions=[_FAIL_OVER])
        register = edge_session_pb2.EdgeAgentRegistration(agent_id=self.id, protocol_version=1, capabilities=able)
        async with places:
            while not await self._registered(edge_session_pb2.SessionRequest(register=register)):  # noqa: ASYNC110
                await asyncio.sleep(1.0)
        self.task = asyncio.create_task(self.run())

    async def _registered(self, first: edge_session_pb2.SessionRequest) -> bool:
        """Whether the server lets it in now; one that is busy asks to come back."""
        self._call = self._stub.Session()
        try:
            await self._call.write(first)
            return bool((await self._call.read()).HasField("registered"))
        except grpc.aio.AioRpcError as refused:
            if refused.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            return False

    async def run(self) -> None:
        beating = asyncio.create_task(self._beat())
        try:
            while (reply := await self._call.read()) is not grpc.aio.EOF:
                if reply.HasField("order"):
                    report = edge_session_pb2.DirectiveReport(
                        directive_id=reply.order.directive.id, state=directive_pb2.DIRECTIVE_STATE_APPLIED
                    )
                    await self._call.write(edge_session_pb2.SessionRequest(report=report))
                elif reply.HasField("reported"):
                    self.applied.set()
        finally:
            beating.cancel()

    async def _beat(self) -> None:
        beat = edge_session_pb2.SessionRequest(heartbeat=edge_session_pb2.EdgeAgentHeartbeat(number=1))
        await asyncio.sleep(_HEARTBEAT_SECONDS * (hash(self.id) % 1_000) / 1_000)
        while True:
            await self._call.write(beat)
            await asyncio.sleep(_HEARTBEAT_SECONDS)

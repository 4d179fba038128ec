"""A service beside the manager that does to it what services do: answer, fail, hang, lie. Real gRPC on loopback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc import aio
from incidentmanager.v1 import sentinel_analysis_service_pb2 as pb

from tests.support.receiver import LOOPBACK

Behaviour = Callable[[pb.AnalyzeAnomalyRequest, Any], Awaitable[bytes]]
"""The bytes that are answered; may abort instead."""


async def well(request: pb.AnalyzeAnomalyRequest, _: object) -> bytes:
    """A plain answer."""
    reply = pb.AnalyzeAnomalyResponse()
    reply.analysis.confidence, reply.analysis.summary = 0.5, f"about {request.incident.title}"
    return reply.SerializeToString()


IN_VAIN = {
    "integrations": {
        "governance": {"target": "127.0.0.1:9", "tls": False, "sources": []},
        "base_delay_secs": 3600,
    },
    "breaker": {"failures": 1_000_000},
}
"""The part of a configuration that lets people ask Governance, which is not there; and what is not there is called
again and again, so that every notification to nowhere is a dead letter soon."""


@dataclass
class Foreign:
    """What it was asked, with what metadata, and how it behaves."""

    port: int = 0
    behave: Behaviour = well
    asked: list[pb.AnalyzeAnomalyRequest] = field(default_factory=list)
    metadata: list[dict[str, str | bytes]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: pb.AnalyzeAnomalyRequest, context: Any) -> bytes:  # noqa: ANN401  # grpc's own
        self.asked.append(request)
        self.metadata.append(dict(context.invocation_metadata()))
        self.came.set()
        return await self.behave(request, context)


@asynccontextmanager
async def a_foreign_sentinel(
    behave: Behaviour = well, *, port: int = 0, credentials: grpc.ServerCredentials | None = None
) -> AsyncIterator[Foreign]:
    """A listening Sentinel, at a free port unless told."""
    foreign = Foreign(behave=behave)
    handler: Any = grpc.unary_unary_rpc_method_handler(foreign.handle, pb.AnalyzeAnomalyRequest.FromString)
    server = aio.server()
    server.add_generic_rpc_handlers(
        (
            grpc.method_handlers_generic_handler(
                "incidentmanager.v1.SentinelAnalysisService", {"AnalyzeAnomaly": handler}
            ),
        )
    )
    address = f"127.0.0.1:{port}"
    foreign.port = (
        server.add_insecure_port(address) if credentials is None else server.add_secure_port(address, credentials)
    )
    await server.start()
    try:
        yield foreign
    finally:
        await server.stop(0)


def config(target: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # what YAML has
    """A configuration that asks a Sentinel there."""
    return {
        **LOOPBACK,
        "integrations": {"sentinel": {"target": target, "tls": False, **more}, "base_delay_secs": 0.2},
        "breaker": {"failures": 3, "open_secs": 1, "successes": 1},
    }

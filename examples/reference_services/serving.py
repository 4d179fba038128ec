"""Serves them on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grpc import aio
from incidentmanager.v1.governance_evaluation_service_pb2_grpc import add_GovernanceEvaluationServiceServicer_to_server
from incidentmanager.v1.sentinel_analysis_service_pb2_grpc import add_SentinelAnalysisServiceServicer_to_server
from incidentmanager.v1.shield_analysis_service_pb2_grpc import add_ShieldAnalysisServiceServicer_to_server

from examples.reference_services.governance import Governance
from examples.reference_services.sentinel import Sentinel
from examples.reference_services.shield import Shield


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[int]:
    """All three behind one port of this machine, a free one unless told; gives the port."""
    server = aio.server()
    add_SentinelAnalysisServiceServicer_to_server(Sentinel(), server)
    add_ShieldAnalysisServiceServicer_to_server(Shield(), server)
    add_GovernanceEvaluationServiceServicer_to_server(Governance(), server)
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield bound
    finally:
        await server.stop(0.5)

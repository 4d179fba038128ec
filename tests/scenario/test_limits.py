"""Limits as callers meet them, over both doors."""

import json

import aiohttp
import grpc
import pytest
from incidentmanager.v1 import incident_service_pb2, incident_service_pb2_grpc

from tests.support.server import RunningServer, running_server


async def list_by_http(server: RunningServer) -> aiohttp.ClientResponse:
    async with aiohttp.request("GET", f"{server.http}/api/v1/incidents") as reply:
        await reply.read()
        return reply


async def list_by_grpc(server: RunningServer) -> grpc.aio.AioRpcError:
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        stub = incident_service_pb2_grpc.IncidentServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ListIncidents(incident_service_pb2.ListIncidentsRequest(), timeout=10)
    return refused.value


def config(**limits: object) -> str:
    return json.dumps({"limits": limits})


async def test_a_method_has_a_limit_over_both_doors_together() -> None:
    async with running_server(config=config(methods={"ListIncidents": {"per_minute": 6, "burst": 2}})) as server:
        assert [(await list_by_http(server)).status for _ in range(2)] == [200, 200]
        reply = await list_by_http(server)
        assert (reply.status, reply.headers["retry-after"]) == (429, "10")
        error = await list_by_grpc(server)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        async with aiohttp.request("GET", f"{server.http}/metrics") as metrics:
            assert 'rate_limited_total{scope="method"} 2' in await metrics.text()


async def test_an_address_that_is_not_let_in_is_refused_at_both_doors() -> None:
    async with running_server(config=config(deny=["127.0.0.0/8"])) as server:
        assert (await list_by_http(server)).status == 403
        assert (await list_by_grpc(server)).code() is grpc.StatusCode.PERMISSION_DENIED
        async with aiohttp.request("GET", f"{server.http}/health/ready") as ready:
            assert ready.status == 200


async def test_an_address_that_calls_too_often_is_refused() -> None:
    async with running_server(config=config(source_per_minute=60)) as server:
        statuses = [(await list_by_http(server)).status for _ in range(8)]
        assert statuses[:5] == [200] * 5
        assert 429 in statuses

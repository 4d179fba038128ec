"""Limits as callers meet them, over both doors."""

import asyncio
import json

import aiohttp
import grpc
import pytest
from incidentmanager.v1 import incident_service_pb2, incident_service_pb2_grpc

from llm_incident_client import IncidentClient, pb
from tests.support.callers import first_key, over_http
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


PAGES = ("/health/live", "/health/ready", "/metrics", "/docs", "/docs/docs.js", "/openapi.json")
PROXIED = {"trusted_proxies": ["127.0.0.0/8"]}
"""Whoever calls from here may say for whom."""


async def seen(server: RunningServer, path: str, by: str, **headers: str) -> tuple[int, str]:
    named = {"X-Forwarded-For": by, **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with aiohttp.request("GET", f"{server.http}{path}", headers=named) as reply:
        return reply.status, await reply.text()


async def test_pages_are_for_the_same_addresses_as_calls_and_as_often_but_for_whether_the_server_lives() -> None:
    async with running_server(config=config(deny=["192.0.2.0/24"], source_per_minute=12, **PROXIED)) as server:
        assert {(await seen(server, path, "192.0.2.1"))[0] for path in PAGES} == {403}
        for number, path in enumerate(PAGES[1:]):
            by = f"203.0.113.{number}"
            assert [(await seen(server, path, by))[0] for _ in range(2)] == [200, 429], path
            assert [(await seen(server, "/health/live", by))[0] for _ in range(3)] == [200] * 3
        async with aiohttp.ClientSession(server.http) as here:
            for _ in range(3):
                async with here.get("/health/ready") as reply:
                    assert reply.status == 200, "what watches over it on its own machine"


async def test_only_who_looks_after_the_server_is_told_what_is_wrong() -> None:
    async with running_server(config=config(**PROXIED), env={"REDIS_URL": "redis://127.0.0.1:1/0"}) as server:
        keys = {"platform_admin": "degraded", "admin": "not ok", "": "not ok"}
        for role, word in keys.items():
            key = await first_key(server, role) if role else "lim_wrong"
            told = json.loads((await seen(server, "/health/ready", "203.0.113.1", X_API_Key=key))[1])
            assert told["checks"]["redis"].startswith(word), role
            assert told["checks"]["database"] == "ok"
        async with aiohttp.request("GET", f"{server.http}/health/ready") as reply:
            assert (await reply.json())["checks"]["redis"].startswith("degraded")


async def test_an_address_that_calls_too_often_is_refused() -> None:
    async with running_server(config=config(source_per_minute=60)) as server:
        statuses = [(await list_by_http(server)).status for _ in range(8)]
        assert statuses[:5] == [200] * 5
        assert 429 in statuses


async def test_a_key_is_told_how_it_stands_and_refused_beyond_its_tier_and_its_tenants() -> None:
    tiers = {"slow": {"per_minute": 60, "burst": 3}, "standard": {"per_minute": 1_000, "burst": 100}}
    async with running_server(config=config(tiers=tiers)) as server:
        slow, usual = await first_key(server, "viewer", tier="slow"), await first_key(server, "viewer")
        left = []
        for _ in range(3):
            async with aiohttp.request("GET", f"{server.http}/api/v1/whoami", headers={"X-API-Key": slow}) as reply:
                left.append((reply.status, reply.headers["x-ratelimit-limit"], reply.headers["x-ratelimit-remaining"]))
        assert left == [(200, "60", "2"), (200, "60", "1"), (200, "60", "0")]
        async with aiohttp.request("GET", f"{server.http}/api/v1/whoami", headers={"X-API-Key": slow}) as reply:
            assert (reply.status, reply.headers["retry-after"]) == (429, "1")
            assert (await reply.json())["details"][0]["metadata"]["scope"] == "key"
        assert (await over_http(server, "/api/v1/whoami", usual)).status == 200
        async with IncidentClient(server.grpc) as client:
            await client.update_tenant("default", limits=pb.TenantLimits(calls_per_minute=1, burst=1))
        await until_refused(server, usual)
        fresh = [await first_key(server, "viewer") for _ in range(2)]
        await over_http(server, "/api/v1/whoami", fresh[0])
        refused = await over_http(server, "/api/v1/whoami", fresh[1])
        assert (refused.status, refused.json["details"][0]["metadata"]["scope"]) == (429, "tenant")
        assert (await over_http(server, "/api/v1/whoami")).status == 200, "who needs no credential has no limit"


async def test_a_batch_that_is_refused_counts_too() -> None:
    """Whether it may not be sent, cannot be read, or is invalid: a caller must not get all that work for nothing."""
    bad: list[tuple[str, bytes, int]] = [
        ("viewer", b'{"events": [{"source": "a", "title": "b"}]}', 403),
        ("producer", b"{", 400),
        ("producer", b'{"events": []}', 400),
        ("producer", json.dumps({"events": [{"source": "a", "title": "b"}] * 1_001}).encode(), 400),
    ]
    tiers = {"standard": {"per_minute": 6, "burst": 2}}
    async with running_server(config=config(tiers=tiers)) as server:
        for role, body, status in bad:
            headers = {"X-API-Key": await first_key(server, role), "content-type": "application/json"}
            for expected in (status, status, 429):
                url = f"{server.http}/api/v1/events/batch"
                async with aiohttp.request("POST", url, data=body, headers=headers) as reply:
                    assert reply.status == expected, await reply.text()


async def until_refused(server: RunningServer, key: str) -> None:
    """A change of a tenant counts within five seconds."""
    async with asyncio.timeout(5):
        while (await over_http(server, "/api/v1/whoami", key)).status != 429:
            pass

"""Processes with different roles on one database: each does its part, and when one is killed another goes on."""

import time
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from llm_incident_client import IncidentClient
from tests.support.fleet import a_fleet, page, submit
from tests.support.postgres import Cluster
from tests.support.receiver import a_receiver
from tests.support.server import RunningServer


async def test_an_event_of_one_process_is_routed_by_a_second_and_told_by_a_third(cluster: Cluster) -> None:
    async with a_receiver() as receiver, a_fleet(cluster, receiver.url) as fleet:
        api = await fleet.start("--roles", "api")
        opened = await submit(api, "one")
        assert (await page(api, "/health/ready")).json["checks"]["roles"].startswith("no living process has route, ")
        router = await fleet.start("--roles", "route")
        waiting = await page(router, "/health/ready")
        assert waiting.status == 200
        assert "no living process has notify" in waiting.json["checks"]["roles"]
        notifier = await fleet.start("--roles", "notify")
        assert (await receiver.take()).body["incident"]["id"] == opened
        assert (await page(notifier, "/health/ready")).json["checks"]["roles"] == "ok"
        actors = "SELECT count(DISTINCT actor) FROM timeline WHERE actor IN ('router', 'notifier')"
        await fleet.until(actors, 2)
        assert [await server.terminate() for server in (api, router, notifier)] == [0, 0, 0]
        assert await fleet.value("SELECT count(*) FROM process") == 0
        await fleet.check_ledger()


async def health(server: RunningServer) -> int:
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        check: Any = channel.unary_unary(
            "/grpc.health.v1.Health/Check", response_deserializer=health_pb2.HealthCheckResponse.FromString
        )
        reply = await check(b"")
        return int(reply.status)


async def test_a_process_without_the_api_answers_probes_and_metrics_and_nothing_else(cluster: Cluster) -> None:
    async with a_fleet(cluster) as fleet:
        router = await fleet.start("--roles", "route,act")
        assert await health(router) == health_pb2.HealthCheckResponse.SERVING
        assert (await page(router, "/health/live")).json == {"status": "live"}
        assert (await page(router, "/health/ready")).status == 200
        assert "incident_manager_build_info" in (await page(router, "/metrics")).text
        for path in ("/api/v1/incidents", "/openapi.json", "/docs"):
            refused = await page(router, path)
            assert refused.status == 404
            assert "ask a process with the role api" in refused.text
        async with grpc.aio.insecure_channel(router.grpc) as channel:
            get: Any = channel.unary_unary("/incidentmanager.v1.IncidentService/GetIncident")
            with pytest.raises(grpc.aio.AioRpcError) as refused_call:
                await get(b"")
        assert refused_call.value.code() == grpc.StatusCode.UNIMPLEMENTED
        assert '"event":"roles.idle"' in router.log.replace(" ", "")
        assert await router.terminate() == 0


ROLES = ("api", "route", "notify")


@pytest.mark.parametrize("killed", ROLES)
async def test_whichever_is_killed_its_successor_goes_on(cluster: Cluster, killed: str) -> None:
    async with a_receiver() as receiver, a_fleet(cluster, receiver.url) as fleet:
        servers = {role: await fleet.start("--roles", role) for role in ROLES}
        first = await submit(servers["api"], "before")
        assert (await receiver.take()).body["incident"]["id"] == first
        await fleet.until("SELECT count(*) FROM delivery WHERE state = 'sent'", 1)
        await servers[killed].kill()
        if killed != "api":
            waiting = await submit(servers["api"], "meanwhile")
            await servers[killed].start()
            assert (await receiver.take()).body["incident"]["id"] == waiting
        else:
            await servers[killed].start()
        last = await submit(servers["api"], "after")
        assert (await receiver.take()).body["incident"]["id"] == last
        await fleet.check_ledger()


async def test_what_a_killed_process_had_in_hand_is_done_by_a_standby_within_a_minute(cluster: Cluster) -> None:
    """At the default lease of 15 s: killed while it sends, so that its rows are leased."""
    async with a_receiver() as receiver, a_fleet(cluster, receiver.url, lease_secs="15") as fleet:
        receiver.held = 1
        api = await fleet.start("--roles", "api,route")
        victim = await fleet.start("--roles", "notify")
        opened = await submit(api, "in hand")
        first = await receiver.take()
        await fleet.start("--roles", "notify")
        await victim.kill()
        began = time.monotonic()
        again = await receiver.take(60)
        took = time.monotonic() - began
        assert again.body["incident"]["id"] == opened
        assert again.headers["Idempotency-Key"] == first.headers["Idempotency-Key"]
        assert took < 30, f"{took:.1f} s"
        receiver.let_go()


async def test_upkeep_is_done_by_one_and_taken_over_from_a_killed_one(cluster: Cluster) -> None:
    async with a_fleet(cluster) as fleet:
        first = await fleet.start(LLM_IM__INSTANCE_ID="first")
        second = await fleet.start(LLM_IM__INSTANCE_ID="second")
        holder = "SELECT split_part(owner, '/', 1) FROM lease WHERE name = 'upkeep'"
        assert await fleet.value(holder) == "first"
        await first.kill()
        await fleet.until(holder, "second")
        async with IncidentClient(second.grpc) as client:
            await client.create_incident("app", "pineapple")
        await fleet.until("SELECT count(*) FROM incident_document WHERE words::text LIKE '%pineapple%'", 1)
        listed = await fleet.command("processes", "--json")
        assert [(each["instance"], each["alive"]) for each in listed.json] == [("second", True)]

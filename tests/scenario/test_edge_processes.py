"""Edge-Agents of a deployment with two processes: whichever has the session, directives get there."""

import asyncio

import pytest
from incidentmanager.v1 import directive_pb2, edge_agent_pb2, edge_inference_pb2

from tests.support import edge
from tests.support.fleet import a_fleet
from tests.support.postgres import Cluster

pytestmark = pytest.mark.asyncio
S = directive_pb2.DirectiveState
SHORT = {"LLM_IM__EDGE_AGENTS__HEARTBEAT_SECS": "0.5", "LLM_IM__EDGE_AGENTS__MISSED_HEARTBEATS": "4"}


async def test_two_processes_share_the_agents(cluster: Cluster) -> None:
    register = edge.registration("shared", models=["redactor"])
    async with a_fleet(cluster) as fleet:
        one, two = await fleet.start(), await fleet.start()
        async with (
            edge.a_session(one.grpc, register) as session,
            edge.a_desk(two.grpc) as desk,
            edge.a_session(two.grpc, register) as newer,
        ):
            code, reason, _ = await session.refused()
            assert (code, reason) == ("ABORTED", "SESSION_FENCED"), "a session elsewhere cuts this one"
            assert newer.registered.epoch == 2
            async with edge.a_desk(one.grpc) as other:
                made = await other.order(["shared"])
                await other.approve(made.id)
            assert (await newer.next("order")).directive.id == made.id, "approved at one, delivered by the other"
            await newer.report(made.id, S.DIRECTIVE_STATE_APPLIED)
            assert (await desk.directive(made.id)).deliveries[0].attempts == 1
            request = edge_inference_pb2.InferenceRequest(request_id="r", model_id="redactor", input="x")
            async with edge.a_desk(one.grpc) as other:
                asking = asyncio.create_task(other.batch([request]))
                await newer.next("inference")
                done = edge_inference_pb2.INFERENCE_STATUS_COMPLETED
                await newer.send(
                    inference_result=edge_inference_pb2.InferenceResult(request_id="r", status=done, output="y")
                )
                assert [each.output for each in await asking] == ["y"], "asked at one, run by the other's agent"
                late = await other.order(["shared"])
                await other.approve(late.id)
            await newer.next("order")
            await two.kill()
            async with edge.a_session(one.grpc, register) as last, edge.a_desk(one.grpc) as other:
                assert (await last.next("order")).directive.id == late.id, "what was sent and not answered comes again"
                await last.report(late.id, S.DIRECTIVE_STATE_APPLIED)
                found = await other.directive(late.id)
                assert (found.state, found.deliveries[0].attempts) == (S.DIRECTIVE_STATE_APPLIED, 2)


async def test_a_dead_agent_is_an_incident_and_a_living_one_ends_it(cluster: Cluster) -> None:
    """The wall-clock smoke of tests/pipeline/test_agent_watch.py: the process that had the session is dead, too."""
    async with a_fleet(cluster) as fleet:
        one, two = await fleet.start(**SHORT), await fleet.start(**SHORT)
        async with edge.a_desk(two.grpc) as desk:
            async with edge.a_session(one.grpc, edge.registration("dead")):
                await one.kill()
            await desk.until_agent("dead", edge_agent_pb2.EDGE_AGENT_STATE_LOST)
            assert await fleet.value("SELECT source || ' ' || state FROM incident") == "edge-agent NEW"
            async with edge.a_session(two.grpc, edge.registration("dead")):
                await fleet.until("SELECT state FROM incident", "RESOLVED")

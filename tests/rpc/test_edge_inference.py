"""Models that agents run near the traffic: asked over gRPC, answered by the agent, kept while nobody can."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from incidentmanager.v1 import edge_inference_pb2

from llm_incident_client import IncidentClient
from tests.support import edge
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
pb = edge_inference_pb2
COMPLETED, FAILED, QUEUED = (
    pb.INFERENCE_STATUS_COMPLETED,
    pb.INFERENCE_STATUS_FAILED,
    pb.INFERENCE_STATUS_QUEUED,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """A server whose queue is short."""
    config = {"edge_agents": {"max_waiting_inferences": 3, "max_inferences_per_agent": 2}}
    async with running_server(config=json.dumps(config)) as started:
        yield started


def wanted(name: str, model: str, **given: object) -> pb.InferenceRequest:
    return pb.InferenceRequest(request_id=name, model_id=model, input=f"input of {name}", **given)  # type: ignore[arg-type]


async def answer(session: edge.Session, output: str = "redacted") -> str:
    """The agent runs the next request; which one it was."""
    request = await session.next("inference")
    result = pb.InferenceResult(request_id=request.request_id, status=COMPLETED, output=output, scores={"pii": 0.9})
    await session.send(inference_result=result)
    return str(request.request_id)


async def test_an_agent_runs_a_model_and_its_result_comes_back(server: RunningServer) -> None:
    register = edge.registration("runs", models=["redactor"])
    async with edge.a_session(server.grpc, register) as session, edge.a_desk(server.grpc) as desk:
        asking = asyncio.create_task(desk.batch([wanted("one", "redactor")]))
        assert await answer(session, "Call me on ***") == "one"
        (result,) = await asking
        assert (result.status, result.output, result.agent_id) == (COMPLETED, "Call me on ***", "runs")
        assert result.scores["pii"] == 0.9
        (again,) = await desk.batch([wanted("one", "redactor")])
        assert again == result, "it is run once, however often it is asked"


async def test_what_an_agent_cannot_do_fails_with_its_words(server: RunningServer) -> None:
    async with (
        edge.a_session(server.grpc, edge.registration("fails", models=["broken"])) as session,
        edge.a_desk(server.grpc) as desk,
    ):
        asking = asyncio.create_task(desk.batch([wanted("two", "broken")]))
        await session.next("inference")
        result = pb.InferenceResult(request_id="two", status=FAILED, error="out of memory")
        await session.send(inference_result=result)
        assert [(each.status, each.error) for each in await asking] == [(FAILED, "out of memory")]


@pytest.mark.parametrize("given", [{}, {"allow_offline_queue": True, "priority": pb.INFERENCE_PRIORITY_CRITICAL}])
async def test_without_an_agent_what_may_not_wait_fails_at_once(
    server: RunningServer, given: dict[str, object]
) -> None:
    async with edge.a_desk(server.grpc) as desk:
        (result,) = await desk.batch([wanted(f"nobody-{len(given)}", "absent", **given)])
        assert result.status == FAILED
        assert "no connected agent runs model 'absent'" in result.error


async def test_what_may_wait_does_so_by_urgency_and_no_longer_than_there_is_room(server: RunningServer) -> None:
    requests = [
        wanted("low", "later", allow_offline_queue=True, priority=pb.INFERENCE_PRIORITY_LOW),
        wanted("high", "later", allow_offline_queue=True, priority=pb.INFERENCE_PRIORITY_HIGH),
        wanted("usual", "later", allow_offline_queue=True),
    ]
    async with edge.a_desk(server.grpc) as desk:
        assert [each.status for each in await desk.batch(requests)] == [QUEUED] * 3
        (full,) = await desk.batch([wanted("more", "later", allow_offline_queue=True)])
        assert (full.status, "are waiting already" in full.error) == (FAILED, True)
        async with edge.a_session(server.grpc, edge.registration("back", models=["later"])) as session:
            assert [await answer(session) for _ in requests] == ["high", "usual", "low"]
            async with asyncio.timeout(10):
                while {each.status for each in await desk.batch(requests)} != {COMPLETED}:  # noqa: ASYNC110 - its own time
                    await asyncio.sleep(0.02)


async def test_what_an_agent_leaves_undone_goes_to_the_next_one(server: RunningServer) -> None:
    request = wanted("left", "shared", allow_offline_queue=True)
    async with edge.a_desk(server.grpc) as desk:
        async with edge.a_session(server.grpc, edge.registration("leaves", models=["shared"])) as session:
            asking = asyncio.create_task(desk.batch([request]))
            await session.next("inference")
        async with edge.a_session(server.grpc, edge.registration("takes", models=["shared"])) as session:
            assert await answer(session) == "left"
            assert [each.agent_id for each in await asking] == ["takes"]


async def test_a_deadline_ends_the_waiting(server: RunningServer) -> None:
    request = wanted("late", "slow")
    request.timeout.FromMilliseconds(300)
    async with (
        edge.a_session(server.grpc, edge.registration("slow", models=["slow"])) as session,
        edge.a_desk(server.grpc) as desk,
    ):
        asking = asyncio.create_task(desk.batch([request]))
        await session.next("inference")
        (result,) = await asking
        assert result.status in (FAILED, pb.INFERENCE_STATUS_PROCESSING)


async def test_a_stream_tells_first_that_it_waits_and_then_the_result(server: RunningServer) -> None:
    request = wanted("streamed", "streaming", allow_offline_queue=True)
    told: list[pb.InferenceStatus.ValueType] = []
    running: list[asyncio.Task[None]] = []
    async with IncidentClient(server.grpc) as client:
        async with asyncio.timeout(20):
            async for result in client.stream_inference([request]):
                told.append(result.status)
                if result.status == QUEUED:
                    running.append(asyncio.create_task(_one_answer(server)))
        await asyncio.gather(*running)
    assert told == [QUEUED, COMPLETED]


async def _one_answer(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("streams", models=["streaming"])) as session:
        await answer(session)
        await session.send(heartbeat={"number": 1})
        await session.next("heartbeat")

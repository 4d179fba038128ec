"""EdgeAgentService.Session on the wire: who may open one, what goes up and comes down, and what ends it."""

import asyncio

import grpc
import pytest
from incidentmanager.v1 import directive_pb2, edge_agent_pb2, edge_session_pb2

from tests.support import edge
from tests.support.server import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")
pb = edge_session_pb2
S = directive_pb2.DirectiveState


async def test_a_registered_agent_is_told_how_to_go_on_and_shown_as_connected(server: RunningServer) -> None:
    async with (
        edge.a_session(server.grpc, edge.registration("first", labels={"zone": "a"})) as session,
        edge.a_desk(server.grpc) as desk,
    ):
        answer = session.registered
        assert (answer.epoch, answer.last_sequence, answer.protocol_version) == (1, 0, 1)
        assert (answer.heartbeat_interval.seconds, answer.missed_heartbeats) == (30, 3)
        assert answer.credits >= answer.max_frame_events > 0
        found = await desk.agent("first")
        assert found.state == edge_agent_pb2.EDGE_AGENT_STATE_CONNECTED
        assert (found.service, found.version, dict(found.labels)) == ("chat", "1.2.3", {"zone": "a"})
        await session.call.done_writing()
        await desk.until_agent("first", edge_agent_pb2.EDGE_AGENT_STATE_DISCONNECTED)


async def test_events_are_acknowledged_and_numbering_goes_on_in_the_next_session(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("reporter")) as session:
        await session.send(frame=edge.frame(1, "one", "two", ""))
        acks = await session.next("acks")
        while len(acks.results) < 3:
            acks.MergeFrom(await session.next("acks"))
        assert [bool(each.incident_id) for each in acks.results] == [True, True, False], "a bad one spoils no other"
    again = edge.registration("reporter", resume=pb.ResumePoint(acknowledged_sequence=3))
    async with edge.a_session(server.grpc, again) as session:
        assert (session.registered.epoch, session.registered.last_sequence) == (2, 3)
        await session.send(frame=edge.frame(9, "a gap"))
        assert (await session.refused())[:2] == ("OUT_OF_RANGE", "SEQUENCE_GAP")


async def test_a_heartbeat_is_answered_with_its_number(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("alive")) as session:
        await session.send(heartbeat=pb.EdgeAgentHeartbeat(number=7))
        assert (await session.next("heartbeat")).number == 7


async def test_the_last_telemetry_is_kept(server: RunningServer) -> None:
    used = edge_agent_pb2.ResourceSnapshot(cpu_percent=12.5, memory_mb=80)
    telemetry = edge_agent_pb2.EdgeAgentTelemetry(resources=used, counters={"requests_total": 5})
    async with edge.a_session(server.grpc, edge.registration("measured")) as session, edge.a_desk(server.grpc) as desk:
        await session.send(telemetry=telemetry)
        await session.send(heartbeat=pb.EdgeAgentHeartbeat(number=1))
        await session.next("heartbeat")
        await session.call.done_writing()
        found = await desk.until_agent("measured", edge_agent_pb2.EDGE_AGENT_STATE_DISCONNECTED)
        assert (found.telemetry.resources.cpu_percent, found.telemetry.counters["requests_total"]) == (12.5, 5)
        assert found.telemetry.HasField("time")


async def test_an_agent_says_that_it_is_configured_and_is_not_configured_again(server: RunningServer) -> None:
    async with (
        edge.a_session(server.grpc, edge.registration("configured")) as session,
        edge.a_desk(server.grpc) as desk,
    ):
        version = (await session.next("configuration")).version
        await session.send(configuration_applied=pb.ConfigurationApplied(version=version))
        await session.send(heartbeat=pb.EdgeAgentHeartbeat(number=1))
        await session.next("heartbeat")
        assert (await desk.agent("configured")).configuration_version == version
    again = edge.registration("configured", resume=pb.ResumePoint(configuration_version=version))
    async with edge.a_session(server.grpc, again) as session:
        await session.silence("configuration")


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ({"heartbeat": pb.EdgeAgentHeartbeat()}, ("INVALID_ARGUMENT", "STREAM_PROTOCOL")),
        ({"register": edge.registration("")}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"register": edge.registration("a\x1b[2J")}, ("INVALID_ARGUMENT", "INVALID_FIELD")),
        ({"register": edge.registration("old", protocol_version=9)}, ("FAILED_PRECONDITION", "UNSUPPORTED_PROTOCOL")),
    ],
)
async def test_who_does_not_register_as_it_should_is_told_so_and_cut(
    server: RunningServer, first: dict[str, object], reason: tuple[str, str]
) -> None:
    async with edge.a_session(server.grpc) as session:
        await session.send(**first)
        assert (await session.refused())[:2] == reason


async def test_an_older_session_is_cut_by_a_newer_one(server: RunningServer) -> None:
    async with (
        edge.a_session(server.grpc, edge.registration("twice")) as older,
        edge.a_session(server.grpc, edge.registration("twice")) as newer,
    ):
        assert newer.registered.epoch == 2
        code, reason, about = await older.refused()
        assert (code, reason, about["current"]) == ("ABORTED", "SESSION_FENCED", "2")
        await newer.send(heartbeat=pb.EdgeAgentHeartbeat(number=2))
        assert (await newer.next("heartbeat")).number == 2


async def test_a_second_registration_ends_the_session(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("again")) as session:
        await session.send(register=edge.registration("again"))
        assert (await session.refused())[:2] == ("INVALID_ARGUMENT", "STREAM_PROTOCOL")


async def test_a_narrow_directive_is_approved_sent_applied_and_reverted(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("obeys")) as session, edge.a_desk(server.grpc) as desk:
        made = await desk.order(["obeys"])
        assert (made.state, made.approval.by_other) == (S.DIRECTIVE_STATE_PENDING_APPROVAL, False)
        await session.silence("order")
        await desk.approve(made.id)
        order = await session.next("order")
        assert order.command == edge_session_pb2.DIRECTIVE_COMMAND_APPLY
        assert (order.directive.id, order.directive.parameters.texts["to"]) == (made.id, "claude-sonnet")
        assert 0 < order.start_within.seconds <= 60
        for state in (S.DIRECTIVE_STATE_ACCEPTED, S.DIRECTIVE_STATE_APPLIED, S.DIRECTIVE_STATE_REVERTED):
            assert (await session.report(made.id, state)).ignored == ""
            assert (await desk.directive(made.id)).state == state
        late = await session.report(made.id, S.DIRECTIVE_STATE_APPLIED)
        assert "REVERTED" in late.ignored, "a report that comes too late is told so, and changes nothing"


async def test_a_directive_comes_again_with_each_session_until_it_is_answered(server: RunningServer) -> None:
    register = edge.registration("flickers")
    async with edge.a_desk(server.grpc) as desk:
        async with edge.a_session(server.grpc, register) as session:
            made = await desk.order(["flickers"])
            await desk.approve(made.id)
            await session.next("order")
        async with edge.a_session(server.grpc, register) as session:
            assert (await session.next("order")).directive.id == made.id
            await session.report(made.id, S.DIRECTIVE_STATE_APPLIED)
            assert (await session.report(made.id, S.DIRECTIVE_STATE_APPLIED)).ignored == "", "known already"
        async with edge.a_session(server.grpc, register) as session:
            await session.silence("order")
        found = await desk.directive(made.id)
        assert (found.state, found.deliveries[0].attempts) == (S.DIRECTIVE_STATE_APPLIED, 2)


async def test_a_directive_waits_for_an_agent_that_is_away(server: RunningServer) -> None:
    async with edge.a_desk(server.grpc) as desk:
        async with edge.a_session(server.grpc, edge.registration("away")):
            pass
        made = await desk.order(["away"])
        assert (await desk.approve(made.id)).state == S.DIRECTIVE_STATE_APPROVED
        async with edge.a_session(server.grpc, edge.registration("away")) as session:
            assert (await session.next("order")).directive.id == made.id


async def test_a_refusing_agent_says_why(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("refuses")) as session, edge.a_desk(server.grpc) as desk:
        made = await desk.order(["refuses"])
        await desk.approve(made.id)
        await session.next("order")
        await session.report(made.id, S.DIRECTIVE_STATE_REJECTED, "there is no such model here")
        assert (await desk.directive(made.id)).state_reason == "there is no such model here"


async def test_what_is_canceled_before_it_is_sent_never_is(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("spared")) as session, edge.a_desk(server.grpc) as desk:
        made = await desk.order(["spared"])
        assert (await desk.cancel(made.id)).state == S.DIRECTIVE_STATE_CANCELED
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.approve(made.id)
        assert edge.reason_of(refused.value)[:2] == ("FAILED_PRECONDITION", "ILLEGAL_DIRECTIVE_MOVE")
        await session.silence("order")


async def test_what_is_canceled_after_it_was_applied_is_reverted(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("turns")) as session, edge.a_desk(server.grpc) as desk:
        made = await desk.order(["turns"])
        await desk.approve(made.id)
        await session.next("order")
        await session.report(made.id, S.DIRECTIVE_STATE_APPLIED)
        canceled = await desk.cancel(made.id)
        assert (canceled.state, canceled.revert_requested) == (S.DIRECTIVE_STATE_APPLIED, True)
        order = await session.next("order")
        assert order.command == edge_session_pb2.DIRECTIVE_COMMAND_REVERT
        await session.report(made.id, S.DIRECTIVE_STATE_REVERTED)
        assert (await desk.directive(made.id)).state == S.DIRECTIVE_STATE_REVERTED


async def test_an_unanswered_directive_expires_and_a_late_answer_still_counts(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("slow")) as session, edge.a_desk(server.grpc) as desk:
        made = await desk.order(["slow"], seconds=1)
        await desk.approve(made.id)
        await session.next("order")
        found = await desk.until(made.id, S.DIRECTIVE_STATE_EXPIRED)
        assert "did not say in time" in found.state_reason
        await session.report(made.id, S.DIRECTIVE_STATE_REVERTED)
        assert (await desk.directive(made.id)).state == S.DIRECTIVE_STATE_REVERTED


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"parameters": directive_pb2.DirectiveParameters()}, "parameters.texts"),
        ({"seconds": 999_999}, "ttl"),
        ({"agent_ids": []}, "target"),
        ({"action": directive_pb2.DIRECTIVE_ACTION_DISABLE_TOOL}, "target.tool"),
    ],
)
async def test_a_directive_that_cannot_be_done_is_refused(
    server: RunningServer, given: dict[str, object], field: str
) -> None:
    async with edge.a_session(server.grpc, edge.registration("any")), edge.a_desk(server.grpc) as desk:
        agents = given.pop("agent_ids", ["any"])
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.order(agents, **given)  # type: ignore[arg-type]  # a table of messages
        code, reason, about = edge.reason_of(refused.value)
        assert (code, reason, about["field"]) == ("INVALID_ARGUMENT", "INVALID_FIELD", field)


async def test_a_drain_is_told_and_nobody_is_missed_at_once() -> None:
    from tests.support.server import running_server

    async with running_server() as own, edge.a_session(own.grpc, edge.registration("drained")) as session:
        ending = asyncio.create_task(own.terminate())
        assert (await session.next("drain")).grace.seconds >= 0
        assert await ending == 0
        await own.start()
        async with edge.a_desk(own.grpc) as desk:
            found = await desk.agent("drained")
            assert found.state == edge_agent_pb2.EDGE_AGENT_STATE_DISCONNECTED

"""Who may be an agent, who may give directives, and who has to agree to them."""

from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from incidentmanager.v1 import directive_pb2

from tests.support import edge
from tests.support.access import trusting
from tests.support.access.who import Who
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
S = directive_pb2.DirectiveState
AGENT = Who("default", "edge-1", ("edge_agent",))
ANN, BOB = (Who("default", name, ("responder",)) for name in ("ann", "bob"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """A server that believes who its callers say they are."""
    async with running_server(env=trusting.ENVIRONMENT, program=trusting.PROGRAM) as started:
        yield started


async def test_an_agent_id_belongs_to_whoever_used_it_first(server: RunningServer) -> None:
    async with edge.a_session(server.grpc, edge.registration("mine"), AGENT.metadata) as session:
        thief = AGENT.named("edge-2")
        async with edge.a_session(server.grpc, metadata=thief.metadata) as other:
            await other.send(register=edge.registration("mine"))
            code, reason, about = await other.refused()
            assert (code, reason, about) == ("PERMISSION_DENIED", "AGENT_ID_TAKEN", {"agent_id": "mine"})
        await session.send(heartbeat={"number": 1})
        assert (await session.next("heartbeat")).number == 1, "whoever has it keeps it"


@pytest.mark.parametrize("who", [ANN, Who("default", "sentinel", ("producer",))])
async def test_who_is_no_agent_gets_no_session(server: RunningServer, who: Who) -> None:
    async with edge.a_session(server.grpc, metadata=who.metadata) as session:
        assert (await session.refused())[:2] == ("PERMISSION_DENIED", "PERMISSION_DENIED")


async def test_an_agent_gives_no_directives(server: RunningServer) -> None:
    async with (
        edge.a_session(server.grpc, edge.registration("meek"), AGENT.metadata),
        edge.a_desk(server.grpc, AGENT.metadata) as desk,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await desk.order(["meek"])
        assert edge.reason_of(refused.value)[1] == "PERMISSION_DENIED"


async def test_an_agent_that_is_narrowed_to_a_service_is_of_that_service(server: RunningServer) -> None:
    narrow = Who("default", "edge-3", ("edge_agent",), services=("chat",))
    async with edge.a_session(server.grpc, metadata=narrow.metadata) as session:
        await session.send(register=edge.registration("outside", service="search"))
        assert (await session.refused())[1] == "PERMISSION_DENIED"
    async with edge.a_session(server.grpc, edge.registration("inside"), narrow.metadata) as session:
        assert session.registered.epoch == 1


async def test_a_wide_directive_needs_a_second_person_and_a_narrow_one_does_not(server: RunningServer) -> None:
    async with (
        edge.a_session(server.grpc, edge.registration("wide-1", labels={"fleet": "w"}), AGENT.metadata) as one,
        edge.a_session(server.grpc, edge.registration("wide-2", labels={"fleet": "w"}), AGENT.metadata) as two,
        edge.a_desk(server.grpc, ANN.metadata) as ann,
        edge.a_desk(server.grpc, BOB.metadata) as bob,
    ):
        target = directive_pb2.DirectiveTarget(labels={"fleet": "w"}, model="gpt-4o")
        made = await ann.order([], target=target)
        assert (made.approval.by_other, len(made.deliveries)) == (True, 2)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ann.approve(made.id)
        assert edge.reason_of(refused.value)[1:] == (
            "SECOND_PERSON_NEEDED",
            {"directive": made.id, "create_actor": "ann"},
        )
        for session in (one, two):
            await session.silence("order", 0.1)
        approved = await bob.approve(made.id)
        assert (approved.approval.actor, approved.state) == ("bob", S.DIRECTIVE_STATE_APPROVED)
        for session in (one, two):
            assert (await session.next("order")).directive.id == made.id
            await session.report(made.id, S.DIRECTIVE_STATE_APPLIED)
        assert (await bob.directive(made.id)).state == S.DIRECTIVE_STATE_APPLIED
        assert (await ann.order(["wide-1"])).approval.by_other is False
        assert (await ann.order(["wide-1"], model="")).approval.by_other is True

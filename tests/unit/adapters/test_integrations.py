"""Lines to services lead to judged addresses only, and failures of calls mean what gRPC says they mean."""

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc import aio

from llm_incident_manager.adapters.integrations import line
from llm_incident_manager.adapters.integrations.asking import refusal_of
from llm_incident_manager.adapters.integrations.line import Credentials, Line
from llm_incident_manager.adapters.outbound.addresses import JudgedAddresses
from llm_incident_manager.domain import destinations
from llm_incident_manager.ports.consultant import Refusal
from llm_incident_manager.ports.outbound import NotAllowed, OutboundFailed
from tests.support.foreign import Foreign, a_foreign_sentinel
from tests.support.listeners import Names
from tests.support.quiet import QUIET

ASK = "/incidentmanager.v1.SentinelAnalysisService/AnalyzeAnomaly"


def addresses(*answers: list[str], allow: tuple[str, ...] = ()) -> JudgedAddresses:
    return JudgedAddresses(destinations.policy(allow, public=True), 1.0, QUIET, resolver=Names(*answers))


def line_to(foreign: Foreign, found: JudgedAddresses) -> Line:
    return Line(("sentinel.example", foreign.port), "sentinel", found, Credentials(tls=False), 1024)


async def asking(channel: aio.Channel) -> bytes:
    method: aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(ASK)
    return await method(b"", timeout=5)


async def call(of: Line) -> bytes:
    return await asking(await of.channel())


async def test_only_addresses_that_are_allowed_are_told() -> None:
    found = addresses(["10.0.0.1", "203.0.114.1", "127.0.0.1"])
    assert await found.of("x.example", 443, "test") == ["203.0.114.1"]


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "::1", "x.example"])
async def test_where_nothing_is_allowed_nothing_is_told(host: str) -> None:
    with pytest.raises(NotAllowed):
        await addresses(["127.0.0.1", "::1"]).of(host, 443, "test")


async def test_a_name_that_nobody_knows_has_failed() -> None:
    with pytest.raises(OutboundFailed):
        await addresses([]).of("x.example", 443, "test")


async def test_a_name_leads_to_its_judged_address_and_the_channel_is_used_again() -> None:
    async with a_foreign_sentinel() as foreign:
        of = line_to(foreign, addresses(["10.0.0.1", "127.0.0.1"], allow=("127.0.0.1",)))
        first = await of.channel()
        assert await call(of)
        assert await of.channel() is first
        await of.close()


async def test_a_second_answer_of_the_name_server_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "RESOLVE_SECONDS", 0.0)
    async with a_foreign_sentinel() as foreign:
        of = line_to(foreign, addresses(["127.0.0.2"], ["127.0.0.1"], allow=("127.0.0.2",)))
        first = await of.channel()
        with pytest.raises(NotAllowed):
            await of.channel()
        with pytest.raises(aio.AioRpcError):
            await asking(first)
        assert not foreign.asked
        await of.close()


async def test_a_service_that_moves_is_found_again() -> None:
    async with a_foreign_sentinel() as foreign:
        of = line_to(foreign, addresses(["127.0.0.2"], ["127.0.0.1"], allow=("127.0.0.0/8",)))
        with pytest.raises(aio.AioRpcError):
            await call(of)
        of.doubt()
        assert await call(of)
        await of.close()


def error(code: grpc.StatusCode, said: str = "", wait: float | None = None) -> aio.AioRpcError:
    status = status_pb2.Status(code=code.value[0])
    if wait is not None:
        delay = Duration()
        delay.FromMilliseconds(int(wait * 1000))
        detail = AnyMessage()
        detail.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        status.details.append(detail)
    trailing = aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return aio.AioRpcError(code, aio.Metadata(), trailing, details=said)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        # What may pass is asked again, and says that the service is not well.
        (error(grpc.StatusCode.UNAVAILABLE, "down"), Refusal("UNAVAILABLE: down", True, None, False)),
        (error(grpc.StatusCode.DEADLINE_EXCEEDED), Refusal("DEADLINE_EXCEEDED", True, None, False)),
        (error(grpc.StatusCode.ABORTED), Refusal("ABORTED", True, None, False)),
        # Where it leads is nothing for those who read the incident.
        (
            error(grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses; ipv4:10.1.2.3:50051: refused"),
            Refusal("UNAVAILABLE: no connection: the server's log says why", True, None, False),
        ),
        # One that says when is there, and busy.
        (error(grpc.StatusCode.UNAVAILABLE, wait=7), Refusal("UNAVAILABLE", True, 7.0, None)),
        (error(grpc.StatusCode.RESOURCE_EXHAUSTED, wait=7), Refusal("RESOURCE_EXHAUSTED", True, 7.0, None)),
        (error(grpc.StatusCode.UNAVAILABLE, wait=10**9), Refusal("UNAVAILABLE", True, 3600.0, None)),
        # Without that it is not asked again: our own limits say so, too.
        (error(grpc.StatusCode.RESOURCE_EXHAUSTED), Refusal("RESOURCE_EXHAUSTED", False, None, False)),
        # A defect of the service is no use asking again.
        (error(grpc.StatusCode.INTERNAL), Refusal("INTERNAL", False, None, False)),
        (error(grpc.StatusCode.UNKNOWN), Refusal("UNKNOWN", False, None, False)),
        # A refusal of this question shows that somebody is there.
        (error(grpc.StatusCode.INVALID_ARGUMENT, "no"), Refusal("INVALID_ARGUMENT: no", False, None, True)),
        (error(grpc.StatusCode.UNIMPLEMENTED), Refusal("UNIMPLEMENTED", False, None, True)),
        (error(grpc.StatusCode.PERMISSION_DENIED), Refusal("PERMISSION_DENIED", False, None, True)),
    ],
)
def test_what_a_failed_call_means(given: aio.AioRpcError, meant: Refusal) -> None:
    assert refusal_of(given) == meant


def test_what_a_service_says_is_cut_and_harmless() -> None:
    said = refusal_of(error(grpc.StatusCode.INTERNAL, "\x1b[2J" + "x" * 999)).detail
    assert len(said) < 300
    assert "\x1b" not in said


def test_details_that_nobody_can_read_ask_for_nothing() -> None:
    broken = aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, aio.Metadata(), aio.Metadata(("grpc-status-details-bin", b"\xff"))
    )
    assert refusal_of(broken).retry_after is None

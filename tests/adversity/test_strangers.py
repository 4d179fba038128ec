"""Callers without a credential cannot take what gRPC takes at once, nor hold up the end of the server."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import pytest
import pytest_asyncio
from grpc.aio import AioRpcError, UnaryUnaryMultiCallable
from grpc_health.v1.health_pb2 import HealthCheckRequest as Ask
from grpc_health.v1.health_pb2 import HealthCheckResponse as Told
from hyperframe.frame import SettingsFrame

from chaos import http2
from chaos.http2 import Connection
from tests.support.callers import REQUIRED, calling, first_key
from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

SMALL = "grpc: {max_concurrent_rpcs: 10}\nwatch: {max_subscribers: 1}\nlimits: {usual_tier: ''}\n"
"""gRPC takes 512 calls at once."""
EACH, CONNECTIONS = 400, 4
CHECK = "/grpc.health.v1.Health/Check"
NO_WINDOW = {SettingsFrame.INITIAL_WINDOW_SIZE: 0}

HEALTH_CHECK = http2.call_headers("Health/Check", package="grpc.health.v1")
HEALTH_WATCH = http2.call_headers("Health/Watch", package="grpc.health.v1")
REFLECTION = http2.call_headers("ServerReflection/ServerReflectionInfo", package="grpc.reflection.v1alpha")
SUBMIT, LIST = http2.call_headers("IngestService/SubmitEvent"), http2.call_headers("IncidentService/WatchIncidents")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def closed() -> AsyncIterator[tuple[RunningServer, str]]:
    """A server that lets nobody in without a credential, and a key."""
    async with running_server(config=SMALL) as server:
        key = await first_key(server, "viewer")
        server.env = {**server.env, **REQUIRED}
        await server.restart()
        yield server, key


@asynccontextmanager
async def occupied(server: RunningServer, block: bytes, *, with_request: bool) -> AsyncIterator[list[Connection]]:
    """More calls than the server takes at once, none of which may be answered, or whose requests never come."""
    async with AsyncExitStack() as stack:
        made = [
            await stack.enter_async_context(http2.connected(server.grpc_port, NO_WINDOW, answer_pings=True))
            for _ in range(CONNECTIONS)
        ]
        for each in made:
            for at in range(1, 2 * EACH, 2):
                each.writer.write(http2.headers(at, block, "END_HEADERS"))
                each.writer.write(http2.message(at) if with_request else b"")
            await each.writer.drain()
        await asyncio.sleep(1)
        yield made


@pytest.mark.parametrize(
    ("block", "with_request"),
    [
        pytest.param(HEALTH_CHECK, True, id="answers of health that are not taken"),
        pytest.param(HEALTH_CHECK, False, id="questions to health that never come"),
        pytest.param(HEALTH_WATCH, True, id="watches of health"),
        pytest.param(REFLECTION, False, id="reflection"),
        pytest.param(SUBMIT, False, id="requests that never come"),
        pytest.param(LIST, False, id="requests of a stream that never come"),
    ],
)
async def test_strangers_leave_room_for_who_has_a_key(
    block: bytes, with_request: bool, closed: tuple[RunningServer, str]
) -> None:
    server, key = closed
    async with occupied(server, block, with_request=with_request), calling(server, key) as client, asyncio.timeout(5):
        assert (await client.who_am_i()).roles == ["viewer"]


async def test_a_watch_that_takes_nothing_does_not_hold_up_the_end() -> None:
    async with running_server(config=SMALL) as server, occupied(server, HEALTH_WATCH, with_request=True):
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(server.process.wait(), 10) == 0


async def test_beyond_their_number_strangers_are_told_so_and_others_follow_when_they_leave() -> None:
    async with running_server(config=SMALL) as server, grpc.aio.insecure_channel(server.grpc) as channel:
        check: UnaryUnaryMultiCallable[Ask, Told] = channel.unary_unary(CHECK, Ask.SerializeToString, Told.FromString)
        async with occupied(server, HEALTH_WATCH, with_request=True):
            with pytest.raises(AioRpcError) as refused:
                await check(Ask())
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        async with asyncio.timeout(5):
            while await code_of(check) != "OK":  # noqa: ASYNC110 - it offers no event
                await asyncio.sleep(0.05)
        async with calling(server) as client:
            assert (await client.who_am_i()).proven_by == "anonymous"


async def code_of(check: "UnaryUnaryMultiCallable[Ask, Told]") -> str:
    try:
        return Told.ServingStatus.Name((await check(Ask())).status).replace("SERVING", "OK")
    except AioRpcError as error:
        return str(error.code().name)

"""Nobody has all the calls that gRPC takes at once by never taking the replies."""

import asyncio

from chaos import http2
from llm_incident_client import IncidentClient
from llm_incident_manager.transport.rpc.untaken import MOST
from tests.support.server import running_server
from tests.support.waiting import until

WINDOW = 4
"""The setting INITIAL_WINDOW_SIZE."""
WHO = "AdminService/WhoAmI"


def calls(number: int, key: str) -> bytes:
    block = http2.call_headers(WHO, [("x-api-key", key)])
    return b"".join(http2.headers(at, block, "END_HEADERS") + http2.message(at) for at in range(1, 2 * number, 2))


async def test_beyond_a_thousand_replies_that_a_caller_does_not_take_it_gets_none() -> None:
    async with running_server(config="limits: {usual_tier: ''}") as server, IncidentClient(server.grpc) as other:
        key = (await other.create_api_key("greedy", ["viewer"])).secret
        async with (
            http2.connected(server.grpc_port, {WINDOW: 0}, answer_pings=True) as first,
            http2.connected(server.grpc_port, {WINDOW: 0}, answer_pings=True) as second,
        ):
            first.writer.write(calls(MOST - 100, key))
            await until(lambda: first.frames.get("Headers", 0) >= MOST - 100, 30)
            second.writer.write(calls(300, key))
            # A reply that waits has sent its headers; a refusal is one frame of headers, which ends the call.
            await until(lambda: second.frames.get("Headers", 0) >= 300, 30)
            assert second.frames.get("Data", 0) == 0
            async with http2.connected(server.grpc_port) as third:
                third.writer.write(calls(1, key))
                await until(lambda: third.frames.get("Headers", 0) == 1, 10)
                assert third.frames.get("Data", 0) == 0
            assert (await other.list_incidents()).incidents is not None
        async with http2.connected(server.grpc_port) as again, asyncio.timeout(10):
            stream = 1
            while not again.frames.get("Data"):  # the connections are gone, and so is what they had not taken
                again.writer.write(http2.headers(stream, http2.call_headers(WHO, [("x-api-key", key)]), "END_HEADERS"))
                again.writer.write(http2.message(stream))
                stream += 2
                await asyncio.sleep(0.1)

"""The graphql-transport-ws protocol, frame by frame, as a third party's WebSocket client sees it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from tests.support.server import RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

WATCH = {"query": "subscription { incidentChanged { heartbeat } }"}
VERSION = {"query": "{ version }"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    env = {"LLM_IM__GRAPHQL__MAX_OPERATIONS_PER_SOCKET": "3", "LLM_IM__GRAPHQL__INIT_TIMEOUT_SECS": "0.3"}
    async with running_server(env=env) as started:
        yield started


class Socket:
    """A connection that speaks JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: object) -> None:
        await self.connection.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(10):
            heard: dict[str, Any] = json.loads(await self.connection.recv())
            return heard

    async def closed(self) -> tuple[int, str]:
        """How the server ends it."""
        async with asyncio.timeout(10):
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed as end:
                if end.rcvd is None:
                    raise
                return end.rcvd.code, end.rcvd.reason


@asynccontextmanager
async def socket(
    server: RunningServer, *protocols: str, path: str = "/graphql/ws", origin: str | None = None
) -> AsyncIterator[Socket]:
    url = server.http.replace("http", "ws", 1) + path
    spoken: Any = protocols or ("graphql-transport-ws",)
    async with connect(url, subprotocols=spoken, origin=Origin(origin) if origin else None) as connection:
        yield Socket(connection)


@asynccontextmanager
async def opened(server: RunningServer, path: str = "/graphql") -> AsyncIterator[Socket]:
    async with socket(server, path=path) as made:
        await made.say(type="connection_init")
        assert await made.hear() == {"type": "connection_ack"}
        yield made


async def test_operations_are_answered_by_their_ids(server: RunningServer) -> None:
    async with opened(server) as one:
        await one.say(type="ping")
        assert (await one.hear())["type"] == "pong"
        await one.say(type="subscribe", id="w", payload=WATCH)
        first = await one.hear()
        assert (first["id"], first["type"]) == ("w", "next")
        assert first["payload"]["data"]["incidentChanged"]["heartbeat"] is True
        await one.say(type="subscribe", id="q", payload=VERSION)
        answer, end = await one.hear(), await one.hear()
        assert (answer["id"], answer["type"], list(answer["payload"])) == ("q", "next", ["data"])
        assert end == {"id": "q", "type": "complete"}
        await one.say(type="subscribe", id="x", payload={"query": "{ nothing }"})
        wrong = await one.hear()
        assert (wrong["id"], wrong["type"]) == ("x", "error")
        assert "Cannot query field" in wrong["payload"][0]["message"]
        for _ in range(5):  # an id is free again as soon as its client says so
            await one.say(type="complete", id="w")
            await one.say(type="subscribe", id="w", payload=WATCH)
            assert (await one.hear())["id"] == "w"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (['{"type": "subscribe", "id": "1", "payload": {}}'], 4401),
        (['{"type": "start", "id": "1"}'], 4401),
        (['{"type": "connection_init"}', '{"type": "connection_init"}'], 4429),
        (['{"type": "connection_init"}', '{"type": "start", "id": "1"}'], 4400),
        (['{"type": "connection_init"}', "no JSON"], 4400),
        (['{"type": "connection_init"}', "[]"], 4400),
        (['{"type": "connection_init"}', '{"type": "subscribe", "payload": {}}'], 4400),
        (['{"type": "connection_init", "payload": 7}'], 4400),
        (['{"type": "connection_init", "payload": {"x-api-key": "lim_nobody"}}'], 4403),
        ([], 4408),
    ],
)
async def test_who_breaks_the_protocol_is_told_how(server: RunningServer, messages: list[str], code: int) -> None:
    async with socket(server) as one:
        for message in messages:
            await one.connection.send(message)
        got, reason = await one.closed()
    assert got == code
    assert reason


async def test_an_id_that_runs_is_not_taken_again(server: RunningServer) -> None:
    async with opened(server) as one:
        for _ in range(2):
            await one.say(type="subscribe", id="w", payload=WATCH)
        assert await one.closed() == (4409, "Subscriber for w already exists")


async def test_the_legacy_protocol_is_not_spoken(server: RunningServer) -> None:
    async with socket(server, "graphql-transport-ws") as one:
        assert one.connection.subprotocol == "graphql-transport-ws"
    url = server.http.replace("http", "ws", 1) + "/graphql"
    async with connect(url) as bare:
        assert (await Socket(bare).closed())[0] == 4406


async def test_pages_from_elsewhere_cannot_open_one(server: RunningServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(server, origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    async with socket(server, origin=server.http):
        pass


async def test_other_paths_take_no_sockets(server: RunningServer) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with socket(server, path="/api/v1/incidents"):
            pass
    assert refused.value.response.status_code == 404


async def test_a_socket_runs_so_many_operations_and_no_more(server: RunningServer) -> None:
    async with opened(server) as one:
        for n in range(200):
            await one.say(type="subscribe", id=str(n), payload=WATCH)
        refused: list[dict[str, Any]] = []
        while len(refused) < 20:
            refused += [heard] if (heard := await one.hear())["type"] == "error" else []
        assert "3 operations run on this socket" in refused[0]["payload"][0]["message"]
        assert refused[0]["payload"][0]["extensions"]["reason"] == "OVERLOADED"
        assert (await one.closed())[0] == 4400
    async with opened(server) as other:
        await other.say(type="subscribe", id="q", payload=VERSION)
        assert (await other.hear())["type"] == "next"


async def test_at_the_end_of_the_server_subscribers_are_told_where_to_go_on(server: RunningServer) -> None:
    async with running_server() as own, opened(own) as one:
        watch = {"query": "subscription { incidentChanged { heartbeat drain resumeToken } }"}
        await one.say(type="subscribe", id="w", payload=watch)
        assert (await one.hear())["payload"]["data"]["incidentChanged"]["heartbeat"]
        ending = asyncio.create_task(own.terminate())
        last = (await one.hear())["payload"]["data"]["incidentChanged"]
        assert last["drain"] is True
        assert last["resumeToken"]
        assert await ending == 0

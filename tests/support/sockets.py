"""A WebSocket client made of the `websockets` library, which knows nothing of the server: messages as JSON."""

import asyncio
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.server import RunningServer

Message = dict[str, Any]
SECONDS = 10.0
EVENT = {"source": "llm-edge-agent", "title": "Upstream latency", "severity": "warning", "kind": "latency.p95"}


class Talk:
    """A connection: what was said is kept until somebody asks for its type."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._kept: deque[Message] = deque()

    async def send(self, *messages: Message | str | bytes) -> None:
        """Sends them; a dict as JSON."""
        for message in messages:
            await self.connection.send(json.dumps(message) if isinstance(message, dict) else message)

    async def hear(self, *types: str, seconds: float = SECONDS) -> Message:
        """The next message of one of these types, or of any. Others are kept."""
        async with asyncio.timeout(seconds):
            for kept in self._kept:
                if not types or kept["type"] in types:
                    self._kept.remove(kept)
                    return kept
            while True:
                message: Message = json.loads(await self.connection.recv())
                if not types or message["type"] in types:
                    return message
                self._kept.append(message)

    async def ask(self, message: Message | str | bytes, *types: str) -> Message:
        """Sends it, and returns what is said next of these types."""
        await self.send(message)
        return await self.hear(*types)

    async def report(self, **fields: Any) -> Message:  # noqa: ANN401 - whatever an event has
        """The acknowledgement of an event."""
        return await self.ask({"type": "event", **EVENT, **fields}, "ack", "error")

    async def subscribe(self, name: str = "s", **fields: Any) -> Message:  # noqa: ANN401 - whatever a subscription has
        """The answer to a subscription."""
        return await self.ask({"type": "subscribe", "subscription_id": name, **fields}, "subscribed", "error")

    async def end(self) -> tuple[Message | None, int]:
        """The last message, if it was a goodbye, and the code with which the server has ended the connection."""
        last: Message | None = None
        try:
            async with asyncio.timeout(3 * SECONDS):
                while True:
                    last = json.loads(await self.connection.recv())
        except ConnectionClosed as closed:
            goodbye = last if last is not None and last["type"] == "closing" else None
            return goodbye, 1006 if closed.rcvd is None else closed.rcvd.code


def address(server: RunningServer, path: str = "/ws") -> str:
    """Where WebSockets connect."""
    return f"ws{'' if server.tls is None else 's'}://127.0.0.1:{server.http_port}{path}"


@asynccontextmanager
async def talking(
    server: RunningServer,
    key: str | None = None,
    *,
    path: str = "/ws",
    headers: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    **options: Any,  # noqa: ANN401 - those of the library
) -> AsyncIterator[Talk]:
    """A connection that was acknowledged; `key` is an API key."""
    shown = {**(headers or {}), **({} if key is None else {"X-API-Key": key})}
    if server.tls is not None:
        options["ssl"] = tls or server.tls
    async with connect(
        address(server, path), additional_headers=shown, compression=None, proxy=None, **options
    ) as connection:
        talk = Talk(connection)
        assert (await talk.hear("connection_ack"))["session_id"]
        yield talk


async def upgraded(server: RunningServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection of which the test writes every byte."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    host = f"Host: 127.0.0.1:{server.http_port}\r\n"
    writer.write(f"GET /ws HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n".encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert b" 101 " in answer
    return reader, writer

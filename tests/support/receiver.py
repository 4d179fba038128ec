"""An HTTP receiver on loopback that keeps what it is sent, and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

LOOPBACK = {"outbound": {"allow": ["127.0.0.1"]}}
"""The part of a configuration that lets the server connect here."""


@dataclass(frozen=True)
class Received:
    """One request."""

    headers: dict[str, str]
    raw: bytes
    body: Any


@dataclass
class Receiver:
    """Where a webhook points to."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)
    held: int = 0
    """So many of the next requests get no answer until `let_go`."""
    _free: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, within: float = 20) -> Received:
        """The next request; fails after so many seconds."""
        async with asyncio.timeout(within):
            return await self.received.get()

    def let_go(self) -> None:
        """Answers those that were held."""
        self._free.set()

    async def handle(self, request: web.Request) -> web.Response:
        """Keeps the request."""
        raw = await request.read()
        await self.received.put(Received(dict(request.headers), raw, await request.json()))
        if self.held:
            self.held -= 1
            await self._free.wait()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    """A listening receiver."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # asyncio's server
    receiver.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()

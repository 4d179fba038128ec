"""A provider of notifications that records every call and does to callers what providers do: fail, hang, return."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web


@dataclass(frozen=True, slots=True)
class Call:
    """One notification as the provider got it. `at` is a monotonic time in seconds."""

    channel: str
    key: str
    incident: dict[str, Any]
    at: float


Behaviour = Callable[[Call], Awaitable[int]]
"""What the provider answers, and how long it takes; after the answer the call counts as delivered if it was 2xx."""


async def well(_: Call) -> int:
    """Takes everything at once."""
    return 200


@dataclass
class Provider:
    """Calls arrive at `url`/CHANNEL. `delivered` were answered with 2xx; `after` runs once such an answer is out."""

    url: str = ""
    behave: Behaviour = well
    after: Callable[[Call], None] = lambda _: None
    calls: list[Call] = field(default_factory=list)
    delivered: list[Call] = field(default_factory=list)

    def keys(self) -> Counter[str]:
        """How often each message was delivered, by its dedup key."""
        return Counter(f"{call.channel} {call.key}" for call in self.delivered)

    def incidents(self, channel: str = "") -> set[str]:
        """Ids of the incidents somebody was told about."""
        return {str(call.incident["id"]) for call in self.delivered if channel in ("", call.channel)}

    async def until(self, true: Callable[[], bool], seconds: float = 30.0) -> None:
        """Returns once it is true. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not true():
                await asyncio.sleep(0.005)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One call."""
        document = orjson.loads(await request.read())
        key = request.headers.get("Idempotency-Key", "")
        call = Call(request.match_info["channel"], key, document["incident"], time.monotonic())
        self.calls.append(call)
        status = await self.behave(call)
        response = web.Response(status=status)
        try:
            await response.prepare(request)
            await response.write_eof()
        except ConnectionResetError:  # whoever called is gone and never hears the answer
            return response
        if status < 300:
            self.delivered.append(call)
            self.after(call)
        return response


@asynccontextmanager
async def a_provider() -> AsyncIterator[Provider]:
    """A listening provider."""
    provider = Provider()
    app = web.Application()
    app.router.add_post("/{channel}", provider.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    provider.url = f"http://{host}:{port}"
    try:
        yield provider
    finally:
        await runner.cleanup()


def config(provider: Provider, *channels: str, delay: float = 0.05, timeout: float = 10.0, attempts: int = 5) -> str:
    """A config.yaml that tells the provider over these channels."""
    lines = [
        "outbound:",
        "  allow: [127.0.0.1]",
        "breaker:",
        "  open_secs: 1",  # so that what comes back is found soon
        "notifications:",
        f"  base_delay_secs: {delay}",
        f"  max_attempts: {attempts}",
        "  channels:",
    ]
    for name in channels:
        lines += [f"    - type: webhook\n      name: {name}\n      webhook_url: {provider.url}/{name}"]
        lines += [f"      timeout_secs: {timeout}"]
    return "\n".join(lines) + "\n"

"""A provider of language models on loopback: answers chat completions, whole or in pieces, until it is told to fail."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

USAGE = {"prompt_tokens": 1000, "completion_tokens": 500}


@dataclass
class Provider:
    """What it answers, and what it was asked."""

    name: str
    url: str = ""
    failing: bool = False
    delay: float = 0.0
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        body = await request.json()
        self.asked.append(body)
        await asyncio.sleep(self.delay)
        if self.failing:
            return web.json_response({"error": {"message": "overloaded"}}, status=529)
        if not body.get("stream"):
            message = {"role": "assistant", "content": f"{self.name} says hello"}
            return web.json_response({"choices": [{"message": message}], "usage": USAGE})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in ("he", "llo"):
            chunk = {"choices": [{"delta": {"content": word}}]}
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(f"data: {json.dumps({'choices': [], 'usage': USAGE})}\n\ndata: [DONE]\n\n".encode())
        await response.write_eof()
        return response


@asynccontextmanager
async def provider(name: str) -> AsyncIterator[Provider]:
    """A provider that serves until the block ends."""
    made = Provider(name)
    application = web.Application()
    application.router.add_post("/v1/chat/completions", made.complete)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    made.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    try:
        yield made
    finally:
        await runner.cleanup()

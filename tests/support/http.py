"""HTTP answers read to their end, so that no connection is left half used."""

import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    text: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """The body as JSON."""
        return json.loads(self.text)


async def whole(request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> Answer:
    """The answer to `session.get(…)` and the like."""
    async with request as reply:
        return Answer(reply.status, await reply.text())

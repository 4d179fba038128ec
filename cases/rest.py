"""What several formats ask of a real server over REST."""

from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp


async def submit(server: str, events: Iterable[Mapping[str, Any]]) -> None:
    """Reports events, each of which must be accepted."""
    async with aiohttp.ClientSession(server, raise_for_status=True) as session:
        for event in events:
            async with session.post("/api/v1/events", json=event):
                pass


async def incidents(server: str, **parameters: str | int) -> tuple[int, dict[str, Any]]:
    """A list of incidents: the HTTP status and the answer."""
    async with aiohttp.request("GET", f"{server}/api/v1/incidents", params=parameters) as answer:
        return answer.status, await answer.json()

"""Callers with API keys, on a server that lets nobody else in."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from llm_incident_client import IncidentClient
from llm_incident_client.core.channel import ChannelOptions
from tests.support.http import Answer, whole
from tests.support.server import RunningServer

PEPPER = "0123456789abcdef" * 2
REQUIRED: Mapping[str, str] = {"LLM_IM__IDENTITY__REQUIRED": "true"}


@asynccontextmanager
async def calling(server: RunningServer, key: str = "") -> AsyncIterator[IncidentClient]:
    """A client that shows this key."""
    async with IncidentClient(ChannelOptions(server.grpc, api_key=key)) as client:
        yield client


async def over_http(server: RunningServer, path: str, key: str | None = None, **fields: Any) -> Answer:  # noqa: ANN401
    """What REST answers to a GET, or to a POST of `json`."""
    method = "POST" if "json" in fields else "GET"
    headers = {} if key is None else {"X-API-Key": key}
    return await whole(aiohttp.request(method, f"{server.http}{path}", headers=headers, **fields))


async def first_key(server: RunningServer, *roles: str, **fields: Any) -> str:  # noqa: ANN401 - as the client takes them
    """A key made by whoever is let in without one."""
    async with IncidentClient(server.grpc) as client:
        return (await client.create_api_key("for a test", roles or ("platform_admin",), **fields)).secret

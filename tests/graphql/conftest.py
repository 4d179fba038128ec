"""One real server for all tests of a module, and a third party's client of it."""

from collections.abc import AsyncIterator

import pytest_asyncio
from gql import Client
from gql.transport.aiohttp import AIOHTTPTransport

from tests.support.server import RunningServer, running_server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """A started server whose database is empty at the beginning of the module."""
    async with running_server() as started:
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(server: RunningServer) -> Client:
    """A client that has asked for the schema, and checks against it what it sends."""
    made = Client(transport=AIOHTTPTransport(f"{server.http}/graphql"), fetch_schema_from_transport=True)
    async with made:
        pass
    return made

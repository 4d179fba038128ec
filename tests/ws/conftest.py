"""One real server for all tests of a module that do not need one of their own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.support.server import RunningServer, running_server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[RunningServer]:
    """A started server whose database is empty at the beginning of the module."""
    async with running_server() as started:
        yield started

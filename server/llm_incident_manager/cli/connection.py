"""One command's connection to the server: opened, used, closed, on the fast event loop where there is one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from llm_incident_client import IncidentClient
from llm_incident_manager.cli.options import Invocation

T = TypeVar("T")
_PATIENCE = 10.0


def call(how: Invocation, work: Callable[[IncidentClient], Awaitable[T]]) -> T:
    """Runs `work` with a client and returns its result. Raises IncidentManagerError."""

    async def connected() -> T:
        deadline = timedelta(seconds=how.patience or _PATIENCE)
        async with IncidentClient(how.address, deadline=deadline) as client:
            return await work(client)

    return run(connected())


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run(work)
    return uvloop.run(work)

"""One command's connection to the server: opened, used, closed, on the fast event loop where there is one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from llm_incident_client import IncidentClient
from llm_incident_client.core.channel import ChannelOptions, Tls
from llm_incident_manager.cli.addresses import Context
from llm_incident_manager.cli.failures import BadUsage
from llm_incident_manager.cli.options import Invocation

T = TypeVar("T")
_PATIENCE = 10.0


def call(how: Invocation, work: Callable[[IncidentClient], Awaitable[T]]) -> T:
    """Runs `work` with a client and returns its result. Raises IncidentManagerError."""

    async def connected() -> T:
        deadline = timedelta(seconds=how.patience or _PATIENCE)
        async with IncidentClient(channel(how), deadline=deadline) as client:
            return await work(client)

    return run(connected())


def listed(how: Invocation, ask: Callable[[IncidentClient], AsyncIterator[T]], limit: int) -> list[T]:
    """The first of what the client lists, all of it with a limit of 0. Raises IncidentManagerError."""

    async def work(client: IncidentClient) -> list[T]:
        found: list[T] = []
        async for one in ask(client):
            found.append(one)
            if len(found) == limit:
                break
        return found

    return call(how, work)


def channel(how: Invocation) -> ChannelOptions:
    """How to reach the context's server. Raises OSError for an unreadable file, BadUsage for half an identity."""
    context = how.context
    api_key = Path(context.api_key_file).read_text("utf-8").strip() if context.api_key_file else ""
    bearer = None
    if context.token_file:
        from llm_incident_manager.adapters.clock import SystemClock
        from llm_incident_manager.cli import token_files

        bearer = token_files.source(Path(context.token_file), SystemClock())
    try:
        return ChannelOptions(context.address, _tls(context), api_key, bearer)
    except ValueError as wrong:
        raise BadUsage(f"the context cannot be used: {wrong}") from None


def _tls(context: Context) -> Tls | None:
    if not (context.ca or context.certificate or context.key or context.server_name):
        return None
    roots, key, chain = (
        Path(name).read_bytes() if name else None for name in (context.ca, context.key, context.certificate)
    )
    return Tls(roots, key, chain, context.server_name)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run(work)
    return uvloop.run(work)

"""`--watch`: draws something now, and again whenever an incident has changed."""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from llm_incident_manager.cli.printing import Printer

if TYPE_CHECKING:
    from llm_incident_client import IncidentClient

MOMENT = 0.25
"""Seconds during which further changes are drawn together."""

LONGEST = 5.0
"""Seconds after which it is drawn again anyway: deadlines pass, and a change may fall between drawing and watching."""

_CLEAR = "\x1b[H\x1b[2J"


async def draw_again(
    client: "IncidentClient", printer: Printer, draw: Callable[[], Awaitable[None]], matching: str = ""
) -> None:
    """Draws until interrupted. Raises what drawing raises. `matching` is a filter of changes that matter."""
    changed = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(_listen(client, matching, changed), name="watch")
        while True:
            changed.clear()
            _begin(printer)
            await draw()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST):
                    await changed.wait()
                    await asyncio.sleep(MOMENT)


async def _listen(client: "IncidentClient", matching: str, changed: asyncio.Event) -> None:
    async with contextlib.aclosing(client.watch(filter=matching)) as changes:
        async for _ in changes:
            changed.set()


def _begin(printer: Printer) -> None:
    if printer.for_people:
        print(_CLEAR if sys.stdout.isatty() else "", end="" if sys.stdout.isatty() else "\n", flush=True)

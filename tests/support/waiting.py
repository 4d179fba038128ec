"""Waiting for what another process or task does, with a limit instead of a guess."""

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Returns once it is true; raises TimeoutError when it does not become so in time."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - the other side has no event to offer
            await asyncio.sleep(0.001)

"""Tells the time of the operating system. The only module that asks for it."""

import asyncio
import time

from llm_incident_manager.domain.time import Instant


class SystemClock:
    """The wall clock and the waiting of the running event loop."""

    def now(self) -> Instant:
        """The current instant; it may step back when the system's clock is set."""
        return Instant(time.time_ns() // 1_000)

    async def sleep(self, seconds: float) -> None:
        """Waits that long on the event loop."""
        await asyncio.sleep(seconds)

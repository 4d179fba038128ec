"""Keeps what lists and searches ask up to date behind the change feed. Never before an acknowledgement: lists know how
far it has come and look up the rest themselves."""

import asyncio
from collections.abc import Callable

from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.time import SECOND
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import logs

AT_ONCE = 100
"""Changes followed in one transaction: few enough that nobody waits for it."""
EVERY_SECONDS = 0.25
"""Between two rounds: changes that come one by one are followed together."""
POLL_SECONDS = 1.0
"""Without a word of news; other processes write, too."""
REST_WHILE_PRESSED = 8
"""While events wait for more than the next batches it rests so many times as long as a round took: acknowledging comes
first, and following a new incident costs the database as much as accepting it."""


class Indexer:
    """Follows the feed of a store."""

    def __init__(self, store: Store, clock: Clock, pressed: Callable[[], bool]) -> None:
        """`pressed` says that ingest, or timers, need the database more."""
        self._store = store
        self._clock = clock
        self._pressed = pressed
        self._wake = asyncio.Event()
        self._log = logs.get("index")

    def wake(self) -> None:
        """Something was committed."""
        self._wake.set()

    async def run(self) -> None:
        """Follows until cancelled."""
        while True:
            self._wake.clear()
            began = self._clock.now()
            try:
                followed = await self.once()
            except DomainError as error:
                self._log.warning("index.failed", error=error.message)
                followed = 0
            if self._pressed():
                took = (self._clock.now() - began) / SECOND
                await self._clock.sleep(max(EVERY_SECONDS, REST_WHILE_PRESSED * took))
            elif followed < AT_ONCE:
                await self._rest()

    async def once(self) -> int:
        """One round; returns how many changes it followed."""
        return max(await self._store.index_incidents(AT_ONCE), await self._store.index_words(AT_ONCE))

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return
        await self._clock.sleep(EVERY_SECONDS)

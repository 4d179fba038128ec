"""When API keys were last used, to the minute: gathered here and written now and then, many at once."""

import asyncio

from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.time import MINUTE, Instant
from llm_incident_manager.ports.access_store import AccessStore
from llm_incident_manager.telemetry import logs

EVERY_SECONDS = 20.0


class KeyUses:
    """The uses that this process has seen."""

    def __init__(self, store: AccessStore) -> None:
        """Writes to this store."""
        self._store = store
        self._noted: dict[str, Instant] = {}
        self._unwritten: dict[str, Instant] = {}

    def note(self, id_: str, now: Instant) -> None:
        """A key was used."""
        minute = Instant(now - now % MINUTE)
        if self._noted.get(id_) != minute:
            self._noted[id_] = self._unwritten[id_] = minute

    async def run(self) -> None:
        """Writes until cancelled; the rest is for `flush`."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Writes what is not written yet; what cannot be written now stays for the next time."""
        if not self._unwritten:
            return
        uses, self._unwritten = self._unwritten, {}
        try:
            await self._store.note_uses(uses)
        except DomainError as error:
            self._unwritten = uses | self._unwritten
            logs.get("access").warning("key_uses.not_written", keys=len(uses), error=error.message)

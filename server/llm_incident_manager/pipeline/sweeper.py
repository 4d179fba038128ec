"""Forgets what is kept for a day only: idempotency keys, answers to request ids, the ways from sequence numbers to
events, and released fingerprints. Runs beside the pipeline and never before an acknowledgement."""

from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.time import DAY, Instant
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import logs

KEPT = DAY
EVERY_SECONDS = 60.0
AT_ONCE = 1_000
"""Rows deleted in one transaction: few enough that nobody waits for it."""


class Sweeper:
    """Sweeps a store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Works with these."""
        self._store = store
        self._clock = clock
        self._log = logs.get("sweep")

    async def run(self) -> None:
        """Sweeps every minute until cancelled."""
        while True:
            try:
                swept = await self.once()
            except DomainError as error:
                self._log.warning("sweep.failed", error=error.message)
            else:
                if swept:
                    self._log.info("sweep.done", rows=swept)
            await self._clock.sleep(EVERY_SECONDS)

    async def once(self) -> int:
        """Deletes everything that is old enough; returns how many rows that were."""
        before, total = Instant(self._clock.now() - KEPT), 0
        while (swept := await self._store.sweep(before, AT_ONCE)) > 0:
            total += swept
        return total

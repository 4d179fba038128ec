"""Forgets what is kept for a while only. Runs beside the pipeline and never before an acknowledgement.

After a day: idempotency keys, answers to request ids, the ways from sequence numbers to events, and released
fingerprints. When the settings say so, or the disk fills up: what `engines.retention` names.
"""

from llm_incident_manager.domain.errors import DomainError
from llm_incident_manager.domain.retention import Expired
from llm_incident_manager.domain.time import DAY, SECOND, Instant
from llm_incident_manager.engines import retention
from llm_incident_manager.engines.retention import Expiry, Policy
from llm_incident_manager.ports.clock import Clock
from llm_incident_manager.ports.stores import Store
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics

KEPT = DAY
EVERY_SECONDS = 60.0
AT_ONCE = 1_000
"""Rows deleted in one transaction: few enough that nobody waits for it."""

REST = 3
"""After each step of retention, so many times as long as it took belongs to others."""

LEAST_REST = 0.005


class Sweeper:
    """Sweeps a store."""

    def __init__(self, store: Store, clock: Clock, policy: Policy, metrics: Metrics) -> None:
        """`policy` says how long things are kept."""
        self._store = store
        self._clock = clock
        self._policy = policy
        self._metrics = metrics
        self._log = logs.get("sweep")

    async def run(self) -> None:
        """Sweeps every minute until cancelled."""
        while True:
            await self.once()
            await self._clock.sleep(EVERY_SECONDS)

    async def once(self) -> int:
        """Deletes everything that is old enough; returns how many records that were. One part's failure is logged."""
        total = await self._sweep() + await self._expire(retention.by_age(self._policy, self._clock.now()))
        try:
            await self._store.make_room(self._clock.now())
            size = await self._store.size()
        except DomainError as error:
            self._log.warning("sweep.failed", part="room", error=error.message)
            return total
        early = retention.by_size(self._policy, self._clock.now(), size)
        total += await self._expire(early)
        if early and await self._store.size() > early[0].above:
            remedy = "raise retention.max_bytes or lower the days; what is left is not deleted early"
            self._log.error("retention.still_full", reason=early[0].reason, remedy=remedy)
        return total

    async def _sweep(self) -> int:
        before, total = Instant(self._clock.now() - KEPT), 0
        try:
            while (swept := await self._store.sweep(before, AT_ONCE)) > 0:
                total += swept
        except DomainError as error:
            self._log.warning("sweep.failed", part="day", error=error.message)
        if total:
            self._log.info("sweep.done", rows=total)
        return total

    async def _expire(self, expiries: tuple[Expiry, ...]) -> int:
        return sum([await self._expire_one(expiry) for expiry in expiries])

    async def _expire_one(self, expiry: Expiry) -> int:
        total, step = 0, Expired(0, more=True)
        try:
            while step.more:
                step = await self._step(expiry)
                total += step.records
        except DomainError as error:
            self._log.warning("retention.failed", what=str(expiry.what), error=error.message)
        if total:
            self._log.info("retention.deleted", what=str(expiry.what), records=total, reason=expiry.reason)
        return total

    async def _step(self, expiry: Expiry) -> Expired:
        began = self._clock.now()
        step = await self._store.expire(expiry.what, expiry.before, AT_ONCE, expiry.above)
        if step.records:
            self._metrics.expired(expiry.what, step.records)
        if step.more:
            took = max(0, self._clock.now() - began) / SECOND
            await self._clock.sleep(max(LEAST_REST, REST * took))
        return step

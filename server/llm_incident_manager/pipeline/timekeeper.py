"""Keeps the clock that everything here goes by: the database's where that has one of its own, else the system's.

All processes on one database agree on the time by it, so that one whose machine is wrong fires nobody's timers. A
database's clock that is set is followed, because the others follow it too. The system's is not: which of two times is
right nobody can tell, and what was to be in an hour is to be in an hour. A restart takes the new time.
"""

from collections.abc import Awaitable, Callable

from llm_incident_manager.domain.errors import DomainError, ErrorReason, StoreUnavailable
from llm_incident_manager.domain.time import SECOND, Instant
from llm_incident_manager.engines import timekeeping
from llm_incident_manager.ports.clock import Steady
from llm_incident_manager.telemetry import logs
from llm_incident_manager.telemetry.metrics import Metrics

EVERY_SECONDS = 5.0


class Timekeeper:
    """Compares and corrects a clock."""

    def __init__(self, clock: Steady, reference: Callable[[], Awaitable[Instant | None]], metrics: Metrics) -> None:
        """`reference` tells the database's time, or None when that is this machine's."""
        self._clock = clock
        self._reference = reference
        self._metrics = metrics
        self._held = 0
        self._log = logs.get("clock")

    async def run(self) -> None:
        """Looks every few seconds until cancelled."""
        while True:
            try:
                await self.once()
            except StoreUnavailable:
                self._metrics.store_failed()
            await self._clock.sleep(EVERY_SECONDS)

    async def once(self) -> None:
        """Looks once. Raises StoreUnavailable."""
        before = self._clock.now()
        reference = await self._reference()
        after = self._clock.now()
        if reference is None:
            self._beside_system(self._clock.wall() - after)
        else:
            self._beside_database(reference - (before + after) // 2, (after - before) // 2)

    async def check(self) -> None:
        """Raises DomainError while the system's clock is not the one that we go by."""
        if self._held:
            text = f"the system's clock was set by {self._held / SECOND:+.0f} s: set it right, or restart to go by it"
            raise DomainError(ErrorReason.INTERNAL, text)

    def _beside_database(self, difference: int, uncertainty: int) -> None:
        match timekeeping.decide(difference, uncertainty):
            case timekeeping.Drift(by):
                self._clock.slew(by)
            case timekeeping.Step(by):
                self._clock.shift(by)
                self._stepped(by, "followed: the database's clock is the one to go by")
        self._metrics.clock_differs(difference / SECOND)

    def _beside_system(self, difference: int) -> None:
        held = 0
        match timekeeping.decide(difference, 0):
            case timekeeping.Drift(by):
                self._clock.slew(by)
            case timekeeping.Step(by):
                held = by
        if abs(held - self._held) > timekeeping.STEP:
            self._stepped(held - self._held, "not followed: timers would be early or late; restart to go by it")
        self._held = held
        self._metrics.clock_differs(difference / SECOND)

    def _stepped(self, by: int, what: str) -> None:
        self._metrics.clock_stepped()
        self._log.warning("clock.stepped", seconds=round(by / SECOND, 3), reaction=what)

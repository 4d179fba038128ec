"""Watches the event loop: how late it is to what is due at a moment, and how many tasks live on it.

A late loop answers nobody: what blocks it, or keeps the interpreter from it, is a defect wherever it is.
"""

import asyncio
from collections import deque
from time import perf_counter  # a stop-watch for metrics, not a source of time

from llm_incident_manager.telemetry.metrics import Metrics

EVERY_SECONDS = 0.05
"""A stall is seen when it lasts longer than what is left of this."""

MINUTE = round(60 / EVERY_SECONDS)
COUNT_EVERY = round(1 / EVERY_SECONDS)
"""Tasks are counted once a second: of thousands that takes milliseconds."""


class LoopWatch:
    """Runs beside everything else. Its own cost is a few microseconds, twenty times a second."""

    def __init__(self, metrics: Metrics) -> None:
        """Tells the metrics."""
        self._metrics = metrics
        self._lags: deque[float] = deque(maxlen=MINUTE)
        self._noted = self._tasks = 0

    async def run(self) -> None:
        """Watches until cancelled."""
        while True:
            started = perf_counter()
            await asyncio.sleep(EVERY_SECONDS)
            self._note(max(0.0, perf_counter() - started - EVERY_SECONDS))

    def _note(self, lag: float) -> None:
        self._lags.append(lag)
        if self._noted % COUNT_EVERY == 0:
            self._tasks = len(asyncio.all_tasks())
        self._noted += 1
        self._metrics.loop_lagged(lag, max(self._lags), self._tasks)

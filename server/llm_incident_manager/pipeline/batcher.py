"""Gathers submissions into micro-batches: full, or `linger` after the first. While one commits, the next one fills."""

import asyncio
from collections import deque
from dataclasses import dataclass

from llm_incident_manager.domain.errors import DomainError, ErrorReason, Overloaded
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.ports.stores import StoreBroken
from llm_incident_manager.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Limits:
    """Events in one batch, seconds to wait for more after the first, events that may wait in all."""

    batch_events: int = 1_000
    linger: float = 0.002
    buffer_events: int = 20_000


class Batcher:
    """The bounded buffer in front of BEFORE_ACK. Order is kept, so a producer's frames commit as they came."""

    def __init__(self, runner: Runner, limits: Limits, metrics: Metrics) -> None:
        """`run` has to be started as a task by the composition root."""
        self._runner = runner
        self._limits = limits
        self._metrics = metrics
        self._waiting: deque[tuple[Submission, asyncio.Future[None]]] = deque()
        self._events = 0
        self._arrived = asyncio.Event()
        self._full = asyncio.Event()
        self._taken = asyncio.Event()

    async def submit(self, submission: Submission) -> None:
        """Waits until the submission is committed. Raises its error, Overloaded when the buffer is full, or what
        stopped the batch. A caller that goes away does not take its events back."""
        if not self._has_room(submission):
            raise Overloaded("the ingest buffer", self._limits.buffer_events, retry_after=0.5)
        await self._enqueue(submission)
        if submission.error is not None:
            raise submission.error

    async def enqueue(self, submission: Submission) -> asyncio.Future[None]:
        """Waits for room, which holds back a stream that is too fast; the future ends when the batch does."""
        while not self._has_room(submission):
            await self._taken.wait()
        return self._enqueue(submission)

    def _has_room(self, submission: Submission) -> bool:
        return not self._events or self._events + len(submission.events) <= self._limits.buffer_events

    def _enqueue(self, submission: Submission) -> asyncio.Future[None]:
        self._runner.prepare(submission)
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((submission, done))
        self._events += len(submission.events)
        self._arrived.set()
        if self._events >= self._limits.batch_events:
            self._full.set()
        return done

    async def run(self) -> None:
        """Commits batch after batch until cancelled; what waits then is refused."""
        try:
            while True:
                await self._arrived.wait()
                await self._linger()
                await self._commit(self._take())
        finally:
            self._refuse_waiting()

    @property
    def pressed(self) -> bool:
        """Whether more waits than the next batch can take."""
        return self._events > self._limits.batch_events

    async def _linger(self) -> None:
        if self._events >= self._limits.batch_events or self._limits.linger <= 0:
            return
        try:
            async with asyncio.timeout(self._limits.linger):
                await self._full.wait()
        except TimeoutError:
            return

    def _take(self) -> list[tuple[Submission, asyncio.Future[None]]]:
        taken: list[tuple[Submission, asyncio.Future[None]]] = []
        events = 0
        while self._waiting and (not taken or events + len(self._waiting[0][0].events) <= self._limits.batch_events):
            taken.append(self._waiting.popleft())
            events += len(taken[-1][0].events)
        self._events -= events
        if not self._waiting:
            self._arrived.clear()
        if self._events < self._limits.batch_events:
            self._full.clear()
        self._taken.set()
        self._taken.clear()
        self._metrics.batch_formed(events)
        self._metrics.buffer_holds(self._events)
        return taken

    async def _commit(self, taken: list[tuple[Submission, asyncio.Future[None]]]) -> None:
        try:
            await self._runner.commit([submission for submission, _ in taken])
        except asyncio.CancelledError:
            _settle(taken, _stopping())
            raise
        except Exception as error:  # handed to every caller that waits
            _settle(taken, error)
            if isinstance(error, StoreBroken):
                raise  # nobody knows what is on the disk: the process has to end
        else:
            _settle(taken, None)

    def _refuse_waiting(self) -> None:
        _settle(list(self._waiting), _stopping())
        self._waiting.clear()
        self._events = 0


def _stopping() -> DomainError:
    return DomainError(ErrorReason.DRAINING, "the server is shutting down: send it again elsewhere", retry_after=1.0)


def _settle(taken: list[tuple[Submission, asyncio.Future[None]]], error: Exception | None) -> None:
    for _, done in taken:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
            done.exception()  # a caller that went away leaves nobody to retrieve it

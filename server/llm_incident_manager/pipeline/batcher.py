"""Gathers submissions into micro-batches: full, or `linger` after the first. While some commit, the next ones fill."""

import asyncio
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import partial
from itertools import cycle

from llm_incident_manager.domain.errors import DomainError, ErrorReason, Overloaded
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.lanes import Crossing, Filling, Lane, Waiting
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.ports.changes import FingerprintKey
from llm_incident_manager.ports.stores import StoreBroken
from llm_incident_manager.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Limits:
    """Events and different fingerprints in one batch, seconds to wait for more after the first, events that may wait in
    all, and how many batches may be under way at once."""

    batch_events: int = 4_000
    batch_fingerprints: int = 1_000
    linger: float = 0.002
    buffer_events: int = 20_000
    lanes: int = 1


class Batcher:
    """The bounded buffer in front of BEFORE_ACK. A producer's frames commit as they came, as it keeps to one lane."""

    def __init__(self, runner: Runner, limits: Limits, metrics: Metrics) -> None:
        """`run` has to be started as a task by the composition root."""
        self._runner = runner
        self._limits = limits
        self._metrics = metrics
        self._events = 0
        self._taken = asyncio.Event()
        self._enough = min(limits.batch_events, limits.batch_fingerprints)
        self._lanes = [Lane(self._enough, limits.linger) for _ in range(limits.lanes)]
        self._turns = cycle(self._lanes)
        self._crossing = Crossing()

    def lane(self) -> Lane:
        """The lane of a new stream; they take turns."""
        return next(self._turns)

    async def submit(self, submission: Submission) -> None:
        """Waits until the submission is committed. Raises its error, Overloaded when the buffer is full, or what
        stopped the batch. A caller that goes away does not take its events back."""
        if not self._has_room(submission):
            raise Overloaded("the ingest buffer", self._limits.buffer_events, retry_after=0.5)
        await self._enqueue(submission, self._lanes[0])  # single events together, or each would have its own commit
        if submission.error is not None:
            raise submission.error

    async def enqueue(self, submission: Submission, lane: Lane) -> asyncio.Future[None]:
        """Waits for room, which holds back a stream that is too fast; the future ends when the batch does."""
        while not self._has_room(submission):
            await self._taken.wait()
        return self._enqueue(submission, lane)

    def _has_room(self, submission: Submission) -> bool:
        return not self._events or self._events + len(submission.events) <= self._limits.buffer_events

    def _enqueue(self, submission: Submission, lane: Lane) -> asyncio.Future[None]:
        self._runner.prepare(submission)
        done = asyncio.get_running_loop().create_future()
        self._events += len(submission.events)
        lane.add((submission, done))
        return done

    async def run(self) -> None:
        """Commits batch after batch until cancelled; what waits then is refused."""
        tasks = [asyncio.create_task(self._drive(lane), name=f"lane-{n}") for n, lane in enumerate(self._lanes)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._refuse_waiting()

    async def _drive(self, lane: Lane) -> None:
        while True:
            await lane.ready()
            await self._commit(lane)

    @property
    def pressed(self) -> bool:
        """Whether more waits than the next batches may be able to take."""
        return self._events > self._enough * len(self._lanes)

    def _fill(self, batch: Filling, lane: Lane) -> AbstractSet[FingerprintKey]:
        """Adds to a batch what waits and still goes into it; its fingerprints."""
        before = batch.events
        lane.fill(batch)
        self._events -= batch.events - before
        self._taken.set()
        self._taken.clear()
        self._metrics.buffer_holds(self._events)
        return batch.fingerprints

    async def _commit(self, lane: Lane) -> None:
        batch = Filling(self._limits.batch_events, self._limits.batch_fingerprints)
        try:
            async with self._crossing.passing(partial(self._fill, batch, lane)):
                self._metrics.batch_formed(batch.events)
                await self._runner.commit([submission for submission, _ in batch.waiting])
        except asyncio.CancelledError:
            _settle(batch.waiting, _stopping())
            raise
        except Exception as error:  # handed to every caller that waits
            _settle(batch.waiting, error)
            if isinstance(error, StoreBroken):
                raise  # nobody knows what is on the disk: the process has to end
        else:
            _settle(batch.waiting, None)

    def _refuse_waiting(self) -> None:
        for lane in self._lanes:
            _settle(lane.take_all(), _stopping())
        self._events = 0


def _stopping() -> DomainError:
    return DomainError(ErrorReason.DRAINING, "the server is shutting down: send it again elsewhere", retry_after=1.0)


def _settle(taken: list[Waiting], error: Exception | None) -> None:
    for _, done in taken:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
            done.exception()  # a caller that went away leaves nobody to retrieve it

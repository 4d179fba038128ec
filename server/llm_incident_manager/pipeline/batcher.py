"""Gathers submissions into micro-batches: full, or `linger` after the first. While some commit, the next ones fill."""

import asyncio
from collections.abc import AsyncIterator, Callable
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.buffer import Bounds, Buffer
from llm_incident_manager.pipeline.lanes import Crossing, Filling, Lane
from llm_incident_manager.pipeline.quotas import UNLIMITED, TenantQuotas
from llm_incident_manager.pipeline.runner import Runner
from llm_incident_manager.pipeline.waiting import Waiting
from llm_incident_manager.ports.changes import FingerprintKey
from llm_incident_manager.ports.stores import StoreBroken
from llm_incident_manager.telemetry.metrics import Metrics

LIGHT_EVENTS = 20
"""So many are looked at as soon as they come."""
PAUSE_SECONDS = 0.0005
MOST_PAUSES = 20
"""Between two pieces of work that are heavier. While the loop is busy gRPC brings it about one call in a round, and its
thread gets the interpreter only when the loop waits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Events and different fingerprints in one batch, seconds to wait for more after the first, how many batches may be
    under way at once, and what may wait for them."""

    batch_events: int = 4_000
    batch_fingerprints: int = 1_000
    linger: float = 0.002
    lanes: int = 1
    bounds: Bounds = field(default_factory=Bounds)


class Batcher:
    """The bounded buffer in front of BEFORE_ACK. A producer's frames commit as they came, as it keeps to one lane."""

    def __init__(self, runner: Runner, limits: Limits, metrics: Metrics, quotas: TenantQuotas = UNLIMITED) -> None:
        """`run` has to be started as a task by the composition root."""
        self._runner = runner
        self._limits = limits
        self._metrics = metrics
        self._buffer = Buffer(limits.bounds, quotas, metrics)
        self._quotas = quotas
        self._taken = asyncio.Event()
        self._enough = min(limits.batch_events, limits.batch_fingerprints)
        self._lanes = [Lane(self._enough, limits.linger) for _ in range(limits.lanes)]
        self._turns = cycle(self._lanes)
        self._crossing = Crossing()
        self._turn = asyncio.Lock()
        self._arrived = 0

    def lane(self) -> Lane:
        """The lane of a new stream; they take turns."""
        return next(self._turns)

    async def submit(self, submission: Submission) -> None:
        """Waits until the submission is committed. Raises its error, Overloaded when there is no room for it, or what
        stopped the batch. A caller that goes away does not take its events back."""
        self._runner.prepare(submission)
        async with self.admitted(submission):
            await self._put(submission, self._lanes[0])  # single events together, or each would have its own commit
        if submission.error is not None:
            raise submission.error

    @asynccontextmanager
    async def admitted(self, submission: Submission) -> AsyncIterator[None]:
        """While a prepared submission waits for its commit, here or elsewhere. Raises Overloaded."""
        self._buffer.enter(submission)
        try:
            if self._quotas.limits(submission.tenant):
                await self._keep_quota(submission)
            yield
        finally:
            self._buffer.leave()

    async def _keep_quota(self, submission: Submission) -> None:
        """Takes from the quota what has its room in the buffer already: what the buffer refuses costs none, and while
        other processes are asked nobody else takes the room. Raises Overloaded."""
        self._buffer.put(submission)
        try:
            wait = await self._quotas.take(submission)
        finally:
            self._buffer.take(submission)
        if wait:
            raise self._buffer.over_quota(submission, wait)

    def has_room(self, tenant: TenantId, events: int) -> bool:
        """Whether so many events of no hurry would be let in now."""
        return self._buffer.has_room(tenant, events)

    def turn_away(self, tenant: TenantId, events: int, is_calm: Callable[[], bool]) -> None:
        """What `announced` does first. Raises Overloaded."""
        self._arrived += 1
        self._buffer.turn_away(tenant, events, is_calm)

    @asynccontextmanager
    async def announced(self, tenant: TenantId, events: int, is_calm: Callable[[], bool]) -> AsyncIterator[None]:
        """Before a caller's events are looked at closely; the block does so without waiting. Refuses at once where only
        urgent events would get in and `is_calm` says that none of them is, since a refusal must cost little. Of many
        events the block begins when it is their turn: between two such pieces of work the loop takes new calls, which
        would else wait where nobody can see how urgent they are. Raises Overloaded."""
        self._arrived += 1
        with self._buffer.announced(tenant, events, is_calm):
            if events > LIGHT_EVENTS:
                async with self._turn:
                    await self._others_first()
            yield

    async def _others_first(self) -> None:
        """Returns when nobody came for a moment, or there has been time enough for whoever comes."""
        for _ in range(MOST_PAUSES):
            before = self._arrived
            await asyncio.sleep(PAUSE_SECONDS)
            if self._arrived == before:
                return

    async def enqueue(self, submission: Submission, lane: Lane) -> asyncio.Future[None]:
        """Waits for room and for the tenant's quota, which holds back a stream that is too fast; the future ends when
        the batch does."""
        self._runner.prepare(submission)
        await self._quotas.hold_back(submission)
        while self._buffer.refusal(submission) is not None:
            await self._taken.wait()
        return self._put(submission, lane)

    def _put(self, submission: Submission, lane: Lane) -> asyncio.Future[None]:
        done = asyncio.get_running_loop().create_future()
        self._buffer.put(submission)
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
        return self._buffer.events > self._enough * len(self._lanes)

    @property
    def strained(self) -> bool:
        """Whether so much waits that reads which are much work should stand back."""
        return self._buffer.strained

    def _fill(self, batch: Filling, lane: Lane) -> AbstractSet[FingerprintKey]:
        """Adds to a batch what waits and still goes into it; its fingerprints."""
        before = len(batch.waiting)
        lane.fill(batch)
        taken = batch.waiting[before:]
        for submission, _ in taken:
            self._buffer.take(submission)
        self._buffer.drained(sum(len(submission.events) for submission, _ in taken))
        self._taken.set()
        self._taken.clear()
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
            taken = lane.take_all()
            for submission, _ in taken:
                self._buffer.take(submission)
            _settle(taken, _stopping())


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

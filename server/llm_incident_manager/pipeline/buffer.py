"""How much waits for its commit, and what is let in beside it. Counts and measures; engines.admission decides."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llm_incident_manager.domain.errors import Overloaded
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.engines import admission
from llm_incident_manager.engines.admission import Held, Priority, Reason, Room
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.pipeline.quotas import TenantQuotas
from llm_incident_manager.telemetry.metrics import Metrics

MEASURED_SECONDS = 0.25
"""The rate at which the buffer empties is measured over at least this long, and half of it is what it was before."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Events and bytes that may wait in all, the share of them and of the waiting callers that is kept for what is
    urgent, and callers that may wait at once."""

    events: int = 20_000
    size: int = 128 * 1024 * 1024
    reserve: float = 0.2
    callers: int = 2_000


class Buffer:
    """Counts what waits, by tenant."""

    def __init__(
        self, bounds: Bounds, quotas: TenantQuotas, metrics: Metrics, jitter: Callable[[], float] = random.random
    ) -> None:
        """`jitter` gives numbers in [0, 1)."""
        self.events = 0
        self._size = 0
        self._by_tenant: Counter[TenantId] = Counter()
        self._callers = 0
        self._bounds = bounds
        self._room = Room(bounds.events, bounds.size, bounds.reserve)
        self._quotas = quotas
        self._metrics = metrics
        self._jitter = jitter
        self._drain = Drained()

    def refusal(self, submission: Submission) -> Reason | None:
        """Why the submission may not wait here now, if it may not."""
        return self._full(submission.tenant, len(submission.events), submission.size, submission.priority)

    def enter(self, submission: Submission) -> None:
        """Takes in a caller that waits for an answer; `leave` follows. Its tenant's quota is not asked
        here. Raises Overloaded, with when to come back."""
        tenant, events, urgency = submission.tenant, len(submission.events), submission.priority
        refused = self._why_not(tenant, events, submission.size, urgency)
        if refused is not None:
            raise self._shed(tenant, refused, urgency)
        self._callers += 1

    @contextmanager
    def announced(self, tenant: TenantId, events: int, is_calm: Callable[[], bool]) -> Iterator[None]:
        """While events wait to be looked at closely: they count as if they waited for their batch already. Raises
        Overloaded, as `turn_away`."""
        self.turn_away(tenant, events, is_calm)
        self._count(tenant, events)
        try:
            yield
        finally:
            self._count(tenant, -events)

    def turn_away(self, tenant: TenantId, events: int, is_calm: Callable[[], bool]) -> None:
        """Refuses what only urgent events would have room for, if `is_calm` says that none of these is. Raises
        Overloaded."""
        refused = self._refused_if_calm(tenant, events)
        if refused is not None and is_calm():
            raise self._shed(tenant, refused, Priority.NORMAL)

    def has_room(self, tenant: TenantId, events: int) -> bool:
        """Whether so many events of no hurry would be let in now."""
        return self._refused_if_calm(tenant, events) is None

    def _refused_if_calm(self, tenant: TenantId, events: int) -> tuple[Reason, float] | None:
        return self._why_not(tenant, events, 0, Priority.NORMAL) or self._spent(tenant, events)

    def _why_not(self, tenant: TenantId, events: int, size: int, urgency: Priority) -> tuple[Reason, float] | None:
        """What is full, and for about how many seconds."""
        refused = self._full(tenant, events, size, urgency) or admission.among_calls(
            self._bounds.callers, self._callers, urgency, self._bounds.reserve
        )
        if refused is None:
            return None
        return refused, admission.come_back_in(self.events, self._drain.rate, self._jitter())

    def _spent(self, tenant: TenantId, events: int) -> tuple[Reason, float] | None:
        wait = self._quotas.spent(tenant, events)
        return self._beyond(wait) if wait else None

    def _beyond(self, seconds: float) -> tuple[Reason, float]:
        return Reason.TENANT_QUOTA, admission.come_back_in(1, 1 / seconds, self._jitter())

    def _full(self, tenant: TenantId, events: int, size: int, urgency: Priority) -> Reason | None:
        held = Held(self.events, self._size, self._by_tenant[tenant])
        return admission.into_buffer(self._room, held, events, size, urgency)

    def over_quota(self, submission: Submission, seconds: float) -> Overloaded:
        """The refusal of a submission whose tenant may send again in so many seconds."""
        return self._shed(submission.tenant, self._beyond(seconds), submission.priority)

    def leave(self) -> None:
        """A caller has its answer."""
        self._callers -= 1

    def put(self, submission: Submission) -> None:
        """It waits."""
        self._size += submission.size
        self._count(submission.tenant, len(submission.events))

    def take(self, submission: Submission) -> None:
        """It waits no longer: a batch has it."""
        self._size -= submission.size
        self._count(submission.tenant, -len(submission.events))

    def _count(self, tenant: TenantId, events: int) -> None:
        self.events += events
        self._by_tenant[tenant] += events
        if not self._by_tenant[tenant]:
            del self._by_tenant[tenant]

    def drained(self, events: int) -> None:
        """So many went into a batch."""
        self._drain.count(events, asyncio.get_running_loop().time())
        self._metrics.buffer_holds(self.events)

    @property
    def strained(self) -> bool:
        """Whether so much waits that reads which are much work should stand back."""
        part = admission.open_to(Priority.DEFERRABLE, self._bounds.reserve)
        return self.events > self._bounds.events * part

    def _shed(self, tenant: TenantId, refused: tuple[Reason, float], urgency: Priority) -> Overloaded:
        reason, wait = refused
        self._metrics.shed(reason, urgency)
        limit, what = {
            Reason.BUFFER: (self._bounds.events, "the ingest buffer"),
            Reason.BYTES: (self._bounds.size, "the memory of the ingest buffer"),
            Reason.TENANT_SHARE: (self._bounds.events, "this tenant's share of the ingest buffer"),
            Reason.TENANT_QUOTA: (int(self._quotas.quota(tenant).rate), "this tenant's quota of events a second"),
        }.get(reason, (self._bounds.callers, "the number of calls that wait for a commit"))
        return Overloaded(what, limit, retry_after=wait, cause=reason)


class Drained:
    """At what rate events leave, measured as they do."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.rate = 0.0
        self._since = 0.0
        self._events = 0

    def count(self, events: int, now: float) -> None:
        """So many more, at this moment of a clock in seconds."""
        self._events += events
        passed = now - self._since
        if passed < MEASURED_SECONDS:
            return
        if passed < 8 * MEASURED_SECONDS:  # after a pause the pause says nothing
            measured = self._events / passed
            self.rate = (self.rate + measured) / 2 if self.rate else measured
        self._since, self._events = now, 0

"""How much waits for its commit, and what is let in beside it. Counts and measures; engines.admission decides."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from llm_incident_manager.domain.errors import Overloaded
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.engines import admission
from llm_incident_manager.engines.admission import Held, Permit, Priority, Quota, Reason, Room
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.telemetry.metrics import Metrics

MEASURED_SECONDS = 0.25
"""The rate at which the buffer empties is measured over at least this long, and half of it is what it was before."""
REMEMBERED_TENANTS = 10_000
NO_QUOTA = Quota(0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Events and bytes that may wait in all, the share of them and of the waiting callers that is kept for what is
    urgent, callers that may wait at once, and what each tenant may send."""

    events: int = 20_000
    size: int = 128 * 1024 * 1024
    reserve: float = 0.2
    callers: int = 2_000
    quota: Quota = NO_QUOTA


class Buffer:
    """Counts what waits, by tenant."""

    def __init__(self, bounds: Bounds, metrics: Metrics, jitter: Callable[[], float] = random.random) -> None:
        """`jitter` gives numbers in [0, 1)."""
        self.events = 0
        self._size = 0
        self._by_tenant: Counter[TenantId] = Counter()
        self._callers = 0
        self._bounds = bounds
        self._room = Room(bounds.events, bounds.size, bounds.reserve)
        self._metrics = metrics
        self._jitter = jitter
        self._spent: dict[TenantId, float] = {}
        self._drain = Drained()

    def refusal(self, submission: Submission) -> Reason | None:
        """Why the submission may not wait here now, if it may not."""
        held = Held(self.events, self._size, self._by_tenant[submission.tenant])
        return admission.into_buffer(self._room, held, len(submission.events), submission.size, submission.priority)

    def enter(self, submission: Submission) -> None:
        """Takes in a caller that waits for an answer; `leave` follows. Raises Overloaded, with when to come back."""
        refused, urgency = self.refusal(submission), submission.priority
        if refused is None:
            refused = admission.among_calls(self._bounds.callers, self._callers, urgency, self._bounds.reserve)
        if refused is not None:
            wait = admission.come_back_in(self.events, self._drain.rate, self._jitter())
            raise self._shed(refused, submission, wait)
        permit = self._permit(submission)
        if permit.wait > 0:
            wait = admission.come_back_in(1, 1 / permit.wait, self._jitter())
            raise self._shed(Reason.TENANT_QUOTA, submission, wait)
        self._spend(submission.tenant, permit)
        self._callers += 1

    def leave(self) -> None:
        """A caller has its answer."""
        self._callers -= 1

    def hold_back(self, submission: Submission) -> float:
        """Counts the events towards their tenant's quota, however far beyond; in so many seconds they may come."""
        permit = self._permit(submission)
        self._spend(submission.tenant, permit)
        return permit.wait

    def _permit(self, submission: Submission) -> Permit:
        now, spent = asyncio.get_running_loop().time(), self._spent.get(submission.tenant, 0.0)
        events = len(submission.events)
        return admission.within_quota(self._bounds.quota, spent, now, events, submission.priority)

    def _spend(self, tenant: TenantId, permit: Permit) -> None:
        if self._bounds.quota.rate <= 0:
            return
        if len(self._spent) >= REMEMBERED_TENANTS:
            now = asyncio.get_running_loop().time()
            self._spent = {name: until for name, until in self._spent.items() if until > now}
        self._spent[tenant] = permit.spent_until

    def put(self, submission: Submission) -> None:
        """It waits."""
        events = len(submission.events)
        self.events += events
        self._size += submission.size
        self._by_tenant[submission.tenant] += events

    def take(self, submission: Submission) -> None:
        """It waits no longer: a batch has it."""
        events = len(submission.events)
        self.events -= events
        self._size -= submission.size
        self._by_tenant[submission.tenant] -= events
        if not self._by_tenant[submission.tenant]:
            del self._by_tenant[submission.tenant]

    def drained(self, events: int) -> None:
        """So many went into a batch."""
        self._drain.count(events, asyncio.get_running_loop().time())
        self._metrics.buffer_holds(self.events)

    @property
    def strained(self) -> bool:
        """Whether so much waits that reads which are much work should stand back."""
        part = admission.open_to(Priority.DEFERRABLE, self._bounds.reserve)
        return self.events > self._bounds.events * part

    def _shed(self, reason: Reason, submission: Submission, wait: float) -> Overloaded:
        self._metrics.shed(reason, submission.priority)
        limit, what = {
            Reason.BUFFER: (self._bounds.events, "the ingest buffer"),
            Reason.BYTES: (self._bounds.size, "the memory of the ingest buffer"),
            Reason.TENANT_SHARE: (self._bounds.events, "this tenant's share of the ingest buffer"),
            Reason.TENANT_QUOTA: (int(self._bounds.quota.rate), "this tenant's quota of events a second"),
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

"""A tenant's quota of events a second: of one process, or of all that share a Redis. Buckets count; engines.admission
says how large they are."""

import asyncio

from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.rates import Rate
from llm_incident_manager.engines import admission
from llm_incident_manager.engines.admission import Priority, Quota
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.ports.rates import OwnRates, Rates

SHARED_SECONDS = 0.02
"""Time that the shared count may take; then the process's own has to do."""


class TenantQuotas:
    """The quota of every tenant, or none."""

    def __init__(
        self, quota: Quota, own: OwnRates | None, shared: Rates | None = None, patience: float = SHARED_SECONDS
    ) -> None:
        """`own` are this process's buckets, `shared` those of all processes where there are any, which may take so many
        seconds. Without a rate, or without anybody who counts, everything may come at once."""
        self.quota = quota
        self._own = own if quota.rate > 0 else None
        self._shared = shared
        self._patience = patience

    @property
    def limited(self) -> bool:
        """Whether anybody counts."""
        return self._own is not None

    def spent(self, tenant: TenantId, events: int) -> float:
        """Seconds until so many events of no hurry may come, as far as this process knows; 0 is now. Counts nothing."""
        if self._own is None or not events:
            return 0.0
        return self._own.peek(_bucket(tenant), admission.rate(self.quota, Priority.NORMAL), events).retry_after

    async def take(self, submission: Submission) -> float:
        """Seconds until the submission may come; 0: now, and it is counted."""
        return await self._take(submission, admission.rate(self.quota, submission.priority)) if self.limited else 0.0

    async def hold_back(self, submission: Submission) -> None:
        """Returns when the submission may come, which is counted: one of a stream, which is slowed down. It
        need not fit into the bucket as long as that is not overdrawn, or it would starve beside many small ones."""
        if not self.limited:
            return
        rate = admission.rate(self.quota, submission.priority)
        owing = Rate(rate.per_second, rate.burst + len(submission.events))
        while wait := await self._take(submission, owing):  # noqa: ASYNC110 - others take from the quota meanwhile
            await asyncio.sleep(wait)

    async def _take(self, submission: Submission, rate: Rate) -> float:
        own, name, cost = self._own, _bucket(submission.tenant), len(submission.events)
        if own is None or not cost:
            return 0.0
        if self._shared is None:
            return own.take_now(name, rate, cost).retry_after
        try:
            async with asyncio.timeout(self._patience):
                return (await self._shared.take(name, rate, cost)).retry_after
        except TimeoutError:
            return own.take_now(name, rate, cost).retry_after


def _bucket(tenant: TenantId) -> str:
    return f"events/{tenant}"


UNLIMITED = TenantQuotas(Quota(0), None)
"""Every tenant may send as much as it can."""

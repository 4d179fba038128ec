"""A tenant's quota of events a second: of one process, or of all that share a Redis. Buckets count; engines.admission
says how large they are."""

import asyncio
from collections.abc import Callable

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
        self,
        quota: Quota,
        own: OwnRates | None,
        shared: Rates | None = None,
        patience: float = SHARED_SECONDS,
        of_tenant: Callable[[TenantId], float] = lambda _: 0,
    ) -> None:
        """`own` are this process's buckets, `shared` those of all processes where there are any, which may take so many
        seconds; `of_tenant` is the rate of a tenant that has one of its own, else 0. Without a rate, or without anybody
        who counts, everything may come at once."""
        self._usual = quota
        self._own = own
        self._shared = shared
        self._patience = patience
        self._of_tenant = of_tenant

    def quota(self, tenant: TenantId) -> Quota:
        """What the tenant may send."""
        rate = self._of_tenant(tenant)
        return Quota(rate, self._usual.burst_seconds) if rate > 0 else self._usual

    def limits(self, tenant: TenantId) -> bool:
        """Whether anybody counts what it sends."""
        return self._own is not None and self.quota(tenant).rate > 0

    def spent(self, tenant: TenantId, events: int) -> float:
        """Seconds until so many events of no hurry may come, as far as this process knows; 0 is now. Counts nothing."""
        quota = self.quota(tenant)
        if self._own is None or not events or quota.rate <= 0:
            return 0.0
        return self._own.peek(_bucket(tenant), admission.rate(quota, Priority.NORMAL), events).retry_after

    async def take(self, submission: Submission) -> float:
        """Seconds until the submission may come; 0: now, and it is counted."""
        if not self.limits(submission.tenant):
            return 0.0
        return await self._take(submission, admission.rate(self.quota(submission.tenant), submission.priority))

    async def hold_back(self, submission: Submission) -> None:
        """Returns when the submission may come, which is counted: one of a stream, which is slowed down. It
        need not fit into the bucket as long as that is not overdrawn, or it would starve beside many small ones."""
        if not self.limits(submission.tenant):
            return
        rate = admission.rate(self.quota(submission.tenant), submission.priority)
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

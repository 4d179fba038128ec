"""A tenant's quota of events a second, held by all processes together. The buffer counts what one process takes."""

import asyncio

from llm_incident_manager.domain.rates import Rate
from llm_incident_manager.engines.admission import Priority, Quota
from llm_incident_manager.pipeline.batch import Submission
from llm_incident_manager.ports.rates import Rates

SHARED_SECONDS = 0.02
"""Time that the shared count may take; then the process's own has to do."""


class SharedQuotas:
    """The quota of every tenant, or none."""

    def __init__(self, quota: Quota, shared: Rates | None) -> None:
        """Without a rate, or without anybody to share it with, everything may come at once."""
        self._quota = quota
        self._shared = shared if quota.rate > 0 else None

    async def wait(self, submission: Submission) -> float:
        """Seconds until the submission may come; 0: now, and it is counted. What is urgent has a burst more."""
        if self._shared is None or not submission.events:
            return 0.0
        bursts = self._quota.burst_seconds * (2 if submission.priority is Priority.URGENT else 1)
        rate = Rate(self._quota.rate, max(1, round(self._quota.rate * bursts)))
        try:
            async with asyncio.timeout(SHARED_SECONDS):
                permit = await self._shared.take(f"events/{submission.tenant}", rate, len(submission.events))
        except TimeoutError:
            return 0.0
        return 0.0 if permit.allowed else permit.retry_after

    async def hold_back(self, submission: Submission) -> None:
        """Returns when the submission may come."""
        while wait := await self.wait(submission):  # noqa: ASYNC110 - others take from the quota meanwhile
            await asyncio.sleep(wait)


ALONE = SharedQuotas(Quota(0), None)
"""For a process that has no others beside it."""

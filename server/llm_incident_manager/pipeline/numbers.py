"""Hands out incident numbers from leased blocks, so that a number costs nothing inside a transaction."""

import asyncio
from collections import deque

from llm_incident_manager.domain import ids, time
from llm_incident_manager.domain.ids import TenantId
from llm_incident_manager.domain.time import Instant
from llm_incident_manager.ports.stores import KeyTaken, Store


class Numbers:
    """Numbers per tenant and UTC day. What a process leased and did not use stays a gap."""

    def __init__(self, store: Store, at_once: int = 1) -> None:
        """Leases from this store, outside any transaction of ours. So many batches may be under way `at_once`."""
        self._store = store
        self._at_once = at_once
        self._free: dict[tuple[TenantId, str], deque[int]] = {}
        self._lock = asyncio.Lock()

    async def reserve(self, tenant: TenantId, now: Instant, count: int) -> None:
        """Sees to it that `count` numbers can be taken without waiting. Call before the transaction starts."""
        key = (tenant, time.utc_day(now))
        async with self._lock:
            missing = count * self._at_once - len(self._free.get(key, ()))
            if missing <= 0:
                return
            size = -(-4 * missing // ids.NUMBER_BLOCK) * ids.NUMBER_BLOCK  # whoever needs many soon needs more
            first = await self._store.lease_numbers(tenant, key[1], size)
            self._forget_before(time.utc_day(Instant(now - time.DAY)))
            self._free.setdefault(key, deque()).extend(range(first, first + size))

    def take(self, tenant: TenantId, now: Instant) -> str:
        """The next number; what was reserved just before midnight may be taken after it, and keeps its day. Raises
        KeyTaken when others took what was reserved: reserve and decide again."""
        day = time.utc_day(now)
        free = self._free.get((tenant, day))
        if not free:
            day = time.utc_day(Instant(now - time.DAY))
            free = self._free.get((tenant, day))
        if not free:
            raise KeyTaken("incident_number")
        return ids.incident_number(day, free.popleft())

    def _forget_before(self, day: str) -> None:
        for key in [key for key in self._free if key[1] < day]:
            del self._free[key]

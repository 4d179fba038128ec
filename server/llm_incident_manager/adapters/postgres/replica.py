"""Reads from a streaming replica that has all that was committed before the read began; otherwise the primary answers.

Each read first asks the primary how far its log is on disk: every acknowledged write lies before that place, whichever
process made it. So a caller reads its own writes, and everybody else's, without any bookkeeping.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from llm_incident_manager.adapters.postgres import failures, starting
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.adapters.postgres.pool import Ask, Connection, Pool, Rows, open_pool
from llm_incident_manager.adapters.postgres.statements import SQL
from llm_incident_manager.domain.errors import DomainError, ErrorReason, StoreUnavailable
from llm_incident_manager.ports.stores import KeyTaken, StoreRefused

ACQUIRE_WITHIN = timedelta(seconds=0.5)
ANSWER_SECONDS = 0.25
"""A replica that does not even say how far it is within this time is not waited for."""
CATCH_UP_SECONDS = 0.1
"""How long a read waits for the replica to catch up before the primary answers it."""
STEP_SECONDS = 0.005
REST_SECONDS = 1.0
"""After a failure or a wait in vain the replica is left alone for so long, so that not every read waits in vain."""

SERVED, BEHIND, AWAY = "served", "behind", "away"
T = TypeVar("T")


class ReplicaUnusable(DomainError):
    """Reads go to the primary; the message says why."""

    def __init__(self, why: str) -> None:
        """`why` names no address."""
        super().__init__(ErrorReason.STORE_UNAVAILABLE, f"reads go to the primary: {why}")


class Replica:
    """A standby and whether it may answer. Its failures never reach a reader."""

    def __init__(
        self, options: Options, url: str, ask: Callable[[str], Awaitable[Rows]], observe: Callable[[str], None]
    ) -> None:
        """`ask` runs a statement on the primary; `observe` is told SERVED, BEHIND or AWAY for each read."""
        self._options = replace(options, dsn=url, acquire_within=min(options.acquire_within, ACQUIRE_WITHIN))
        self._ask = ask
        self._observe = observe
        self._pool: Pool | None = None
        self._joining = asyncio.Lock()
        self._rests_until = 0.0

    async def use(self, work: Callable[[Ask], Awaitable[T]]) -> T | None:
        """What the work finds on one connection; None when the primary has to be asked."""
        if asyncio.get_running_loop().time() < self._rests_until or (self._pool is None and self._joining.locked()):
            self._observe(AWAY)
            return None
        try:
            found = await self._use(work)
        except ReplicaUnusable as unusable:
            self._rests_until = asyncio.get_running_loop().time() + REST_SECONDS
            self._observe(BEHIND if isinstance(unusable, _Behind) else AWAY)
            return None
        self._observe(SERVED)
        return found

    async def check(self) -> None:
        """Raises ReplicaUnusable unless it could answer now."""
        await self._use(lambda ask: ask(SQL["probe"]))
        self._rests_until = 0.0

    async def close(self) -> None:
        """Gives the connections back."""
        if self._pool is not None:
            await self._pool.close()

    async def _use(self, work: Callable[[Ask], Awaitable[T]]) -> T:
        written = (await self._ask(SQL["written_to"]))[0][0]
        try:
            pool = await self._joined()
            async with pool.connection() as connection:
                with failures.translated():
                    async with connection.transaction() if self._options.pooled else nullcontext():
                        await self._catch_up(connection, written)
                        return await work(connection.fetch)
        except (StoreUnavailable, KeyTaken, StoreRefused) as e:  # KeyTaken: replay needed what the read was reading
            raise ReplicaUnusable(f"the replica fails: {e}") from e

    async def _joined(self) -> Pool:
        async with self._joining:
            if self._pool is None:
                self._pool = await self._join()
            return self._pool

    async def _join(self) -> Pool:
        system = (await self._ask(SQL["system"]))[0][0]

        async def require_same(connection: Connection) -> None:
            async with connection.transaction():
                if await connection.fetchval(SQL["system"], timeout=ANSWER_SECONDS) != system:
                    raise ReplicaUnusable("storage.replica_url leads to another system: name a standby of this primary")

        async with starting.explained(signing_in=True):
            return await open_pool(self._options, require_same)

    async def _catch_up(self, connection: Connection, written: str) -> None:
        loop = asyncio.get_running_loop()
        patience = loop.time() + CATCH_UP_SECONDS
        while True:
            row = await connection.fetchrow(SQL["replayed"], written, timeout=ANSWER_SECONDS)
            assert row is not None
            standby, behind = row
            if not standby:
                raise ReplicaUnusable("storage.replica_url leads to no standby: name one of this primary")
            if behind <= 0:
                return
            if loop.time() >= patience:
                raise _Behind(f"the replica is {behind} bytes behind")
            await asyncio.sleep(STEP_SECONDS)


class _Behind(ReplicaUnusable):
    """It answers, but has not yet what it would be asked for."""

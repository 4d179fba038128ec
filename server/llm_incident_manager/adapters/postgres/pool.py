"""Connections: opens them, lends each for a bounded time, and throws away those whose state nobody knows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from llm_incident_manager.adapters.postgres import failures
from llm_incident_manager.adapters.postgres.memory import Memory
from llm_incident_manager.adapters.postgres.options import Options
from llm_incident_manager.domain.errors import StoreUnavailable

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
Rows: TypeAlias = "list[asyncpg.Record]"
Ask: TypeAlias = Callable[..., Awaitable["list[asyncpg.Record]"]]
"""Runs one statement with its values on a connection or in a unit of work."""

CLOSE_WITHIN = 10.0
"""Seconds that running work has before its connections are cut."""


class Pool:
    """A bounded pool. Every wait has a deadline and ends in StoreUnavailable."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", options: Options, memory: Memory) -> None:
        """Use `open_pool`."""
        self._pool = pool
        self.memory = memory
        self._acquire_within = options.acquire_within.total_seconds()
        self._returning: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lends a connection. One that did not answer is cut, so that the next caller gets a fresh one."""
        with failures.translated():
            connection = await self._lent()
        try:
            yield connection
        except StoreUnavailable:
            cut(connection)
            raise
        finally:
            await self._give_back(connection)

    async def _lent(self) -> Connection:
        # A caller who is cancelled must not break off a sign-in half-way: it goes on, and the next caller has it.
        lending = asyncio.ensure_future(self._acquire())
        try:
            return await asyncio.shield(lending)
        except asyncio.CancelledError:
            lending.add_done_callback(self._unwanted)
            raise

    async def _acquire(self) -> Connection:
        try:
            return await self._pool.acquire(timeout=self._acquire_within)
        except TimeoutError as e:
            if self.free > 0:  # it was a sign-in that took too long
                raise
            most = self._pool.get_max_size()
            raise StoreUnavailable(f"all connections ({most}) are busy, and none came free in time") from e

    def _unwanted(self, lending: "asyncio.Task[Connection]") -> None:
        if lending.cancelled() or lending.exception() is not None:
            return
        returning = asyncio.ensure_future(self._give_back(lending.result()))
        self._returning.add(returning)
        returning.add_done_callback(self._returning.discard)

    async def _give_back(self, connection: Connection) -> None:
        try:
            await self._pool.release(connection, timeout=self._acquire_within)
        except failures.BROKEN:
            # The pool has cut the connection; whatever was to be told about the work has been told.
            cut(connection)

    @property
    def free(self) -> int:
        """How many more connections could be lent now."""
        return self._pool.get_max_size() - self._pool.get_size() + self._pool.get_idle_size()

    async def close(self) -> None:
        """Waits for what runs, but not for ever."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await self._pool.close()
        except TimeoutError:
            self.terminate()

    def terminate(self) -> None:
        """Cuts all connections at once."""
        self._pool.terminate()


def cut(connection: Connection) -> None:
    """Closes a connection at once, whatever it is doing; the server then undoes what was not committed."""
    with contextlib.suppress(asyncpg.InterfaceError):  # the driver was first
        connection.terminate()


async def open_pool(
    options: Options,
    require: Callable[[Any], Coroutine[Any, Any, None]] | None = None,
    memory: Memory | None = None,
) -> Pool:
    """Connects. Raises asyncpg's errors and OSError as they are: whoever starts a server explains them.

    `require` looks at each new connection and may refuse it by raising; without it `memory` looks at each.
    """
    memory = memory or Memory()
    pooled: dict[str, Any] = {"statement_cache_size": 0} if options.pooled else {"server_settings": options.settings}
    pool = await asyncpg.create_pool(
        options.dsn,
        min_size=0,
        init_size=1,
        max_size=options.pool_size,
        timeout=options.acquire_within.total_seconds(),
        command_timeout=(options.statement_timeout + options.grace).total_seconds(),
        reset=_nothing_to_reset,
        init=require or memory.look,
        **pooled,
    )
    return Pool(pool, options, memory)


async def _nothing_to_reset(connection: object) -> None:
    """No session state is ever set, so giving a connection back costs no round trip."""

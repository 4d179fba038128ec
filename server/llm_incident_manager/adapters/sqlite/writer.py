"""The one connection that writes, on its own thread: units of work take turns, each commits or leaves nothing behind.

Functions run on the thread in the order they were given. So a caller that is cancelled needs no care: what it had begun
is done first, its ROLLBACK follows, and only then the next unit's BEGIN. The audit chain moves on the thread, too, and
thereby exactly when the commit did, whether or not anybody still waits for it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import apsw

from llm_incident_manager.adapters.sql.audit import AuditChain
from llm_incident_manager.adapters.sqlite import connection as connections
from llm_incident_manager.adapters.sqlite.faults import Faults
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.ports.executor import Executor
from llm_incident_manager.ports.stores import StoreBroken
from llm_incident_manager.telemetry import logs

T = TypeVar("T")

LOG_PAGES = 4_000
"""The log is moved into the file each time it has grown by so many pages (16 MB): rarely enough that a page written
again and again is copied once."""

LONGEST_LOG = 4 * LOG_PAGES
"""From here on the log waits a moment for readers to go, so that it can start over."""

_MOMENT = 100  # milliseconds


class Writer:
    """Owns the connection. `begin`, `commit` and `rollback` run on the thread, all other methods on the event loop."""

    def __init__(
        self, connection: apsw.Connection, executor: Executor, faults: Faults, chain: AuditChain, deadline: float
    ) -> None:
        """`deadline`: seconds a caller waits for its turn, and again for each answer."""
        self.connection = connection
        self.chain = chain
        self._executor = executor
        self._faults = faults
        self._deadline = deadline
        self._lock = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None
        self._checkpoint: asyncio.Task[None] | None = None
        self._logged = 0
        self._moved = 0

    async def run(self, function: Callable[[], T]) -> T:
        """Runs a function on the thread. Raises StoreUnavailable or StoreBroken for what SQLite cannot help."""
        try:
            async with asyncio.timeout(self._deadline):
                return await self._executor.run(lambda: self._guarded(function))
        except TimeoutError:
            raise StoreUnavailable(f"no answer from SQLite within {self._deadline:g} s") from None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn, first come, first served, and holds it for the block.

        Raises StoreUnavailable when it does not come in time, RuntimeError when the caller's task has it already.
        """
        task = asyncio.current_task()
        if self._holder is task:
            raise RuntimeError("this task has a transaction open: read and write through it, or end it first")
        try:
            async with asyncio.timeout(self._deadline):
                await self._lock.acquire()
        except TimeoutError:
            raise StoreUnavailable(f"other transactions took longer than {self._deadline:g} s") from None
        self._holder = task
        try:
            yield
        finally:
            self._holder = None
            self._lock.release()

    async def unit(self, function: Callable[[apsw.Connection], T]) -> T:
        """Runs a function as one transaction. When its caller gives up, it still takes effect: nobody may mind that."""
        async with self.turn():
            return await self.run(lambda: self._unit(function))

    async def read(self, function: Callable[[apsw.Connection], T]) -> T:
        """Runs a reading function between two transactions, for a database that has no other connection."""
        async with self.turn():
            return await self.run(lambda: function(self.connection))

    def begin(self) -> None:
        """On the thread: opens a transaction that may write at once."""
        # Not cached, here and below: it would crowd out statements that take long to prepare.
        self.connection.execute("BEGIN IMMEDIATE", can_cache=False)

    def commit(self) -> None:
        """On the thread: makes the transaction durable, or undoes it and raises."""
        try:
            self.connection.execute("COMMIT", can_cache=False)
        except apsw.Error:
            self.rollback()
            raise
        self.chain.commit()
        self._logged, _ = self.connection.status(apsw.SQLITE_DBSTATUS_CACHE_WRITE)

    def rollback(self) -> None:
        """On the thread: undoes what is open, if anything is; some errors have done so already."""
        self.chain.rollback()
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK", can_cache=False)

    async def finish(self) -> None:
        """Commits the transaction of this turn. Waits as long as it takes: half an answer would be no answer."""
        await self._executor.run(lambda: self._guarded(self.commit))
        if self._logged - self._moved >= LOG_PAGES and self._checkpoint is None:
            self._checkpoint = asyncio.create_task(self._shorten_log(), name="sqlite-checkpoint")

    async def abandon(self) -> None:
        """Undoes the transaction of this turn. It is undone even when nobody waits for it to be."""
        await self.run(self.rollback)

    async def empty_log(self) -> None:
        """Moves the log into the file and leaves nothing in it, unless readers hold it: then it starts over later."""
        async with self.turn():
            await self.run(self._empty_log)

    async def close(self) -> None:
        """Waits for the running unit of work, moves the log into the file and ends the thread."""
        async with self.turn():
            if self._checkpoint is not None:
                self._checkpoint.cancel()
            await self._executor.run(self.connection.close)
        self._executor.close()

    def _guarded(self, function: Callable[[], T]) -> T:
        self._faults.check()
        try:
            return function()
        except apsw.Error as error:
            raise self._faults.judge(error) from error

    def _unit(self, function: Callable[[apsw.Connection], T]) -> T:
        self.begin()
        try:
            value = function(self.connection)
        except BaseException:
            self.rollback()
            raise
        self.commit()
        return value

    async def _shorten_log(self) -> None:
        """Between two units of work, so that no commit waits for it."""
        try:
            async with self.turn():
                await self.run(self._move_log)
        except StoreUnavailable as error:  # tried again after a later commit; until then the log grows
            logs.get("sqlite").warning("checkpoint.failed", error=str(error.__cause__ or error))
        except StoreBroken:
            pass  # remembered: the next call raises it, which ends the process
        finally:
            self._checkpoint = None

    def _empty_log(self) -> None:
        self._moved = self._logged
        self.connection.set_busy_timeout(_MOMENT)
        try:
            self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.BusyError:
            logs.get("sqlite").info("checkpoint.later", meaning="readers hold the log; it starts over when they go")
        finally:
            self.connection.set_busy_timeout(connections.BUSY_MILLISECONDS)

    def _move_log(self) -> None:
        self._moved = self._logged
        length, _ = self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        if length > LONGEST_LOG:
            self.connection.set_busy_timeout(_MOMENT)
            try:
                self.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
            finally:
                self.connection.set_busy_timeout(connections.BUSY_MILLISECONDS)

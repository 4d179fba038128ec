"""Connections that only read, each on its own thread, so that a long list never delays a commit. They write nothing."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

import apsw

from llm_incident_manager.adapters.sqlite.faults import Faults
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.ports.executor import Executor

T = TypeVar("T")

_STEPS = 200_000  # of SQLite's machine: a few milliseconds


class _Loan:
    """One use of a reader. `ended` says that nobody waits for it any more, before or while it runs."""

    __slots__ = ("ended",)

    def __init__(self) -> None:
        self.ended = False


class Reader:
    """A connection and where its statements run."""

    def __init__(self, connection: apsw.Connection, executor: Executor) -> None:
        """A function on this reader stops soon after its loan has ended."""
        self._connection = connection
        self._executor = executor
        self._loan = _Loan()
        # Not `interrupt`: that stops nothing when it comes before the statement has begun.
        connection.set_progress_handler(lambda: self._loan.ended, _STEPS)

    async def run(self, function: Callable[[apsw.Connection], T]) -> T:
        """Runs a function. When its caller is cancelled it is stopped."""
        loan = _Loan()
        try:
            return await self._executor.run(lambda: self._lend(loan, function))
        except asyncio.CancelledError:
            loan.ended = True
            raise

    async def close(self) -> None:
        """Waits for what runs, closes the connection and ends the thread."""
        await self._executor.run(self._connection.close)
        self._executor.close()

    def _lend(self, loan: _Loan, function: Callable[[apsw.Connection], T]) -> T:
        self._loan = loan
        if loan.ended:
            raise apsw.InterruptError("nobody waits")
        return function(self._connection)


class Readers:
    """Lends each reader to one caller at a time."""

    def __init__(self, readers: Sequence[Reader], faults: Faults, deadline: float) -> None:
        """`deadline`: seconds a caller waits for a reader and its answer. A read also holds the log no longer."""
        self._readers = readers
        self._faults = faults
        self._deadline = deadline
        self._free: asyncio.LifoQueue[Reader] = asyncio.LifoQueue()  # the last one's cache is warm
        for reader in readers:
            self._free.put_nowait(reader)

    async def run(self, function: Callable[[apsw.Connection], T]) -> T:
        """Runs a reading function. One that takes too long, or that nobody waits for any more, is stopped."""
        try:
            async with asyncio.timeout(self._deadline):
                reader = await self._free.get()
                try:
                    return await reader.run(lambda connection: self._guarded(connection, function))
                finally:
                    self._free.put_nowait(reader)
        except TimeoutError:
            raise StoreUnavailable(f"no answer from SQLite within {self._deadline:g} s") from None

    async def close(self) -> None:
        """Waits for what runs and closes the connections."""
        for _ in self._readers:
            await (await self._free.get()).close()

    def _guarded(self, connection: apsw.Connection, function: Callable[[apsw.Connection], T]) -> T:
        self._faults.check()
        try:
            return function(connection)
        except apsw.Error as error:
            raise self._faults.judge(error) from error

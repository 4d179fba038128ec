"""Connections that only read, each on its own thread, so that a long list never delays a commit. They write nothing."""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import apsw

from llm_incident_manager.adapters.sqlite.faults import Faults
from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.ports.executor import Executor

T = TypeVar("T")


class Reader(NamedTuple):
    """A connection and where its statements run."""

    connection: apsw.Connection
    executor: Executor


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
        """Runs a reading function. One that takes too long, or that nobody waits for any more, is interrupted."""
        try:
            async with asyncio.timeout(self._deadline):
                reader = await self._free.get()
                try:
                    return await self._lent(reader, function)
                finally:
                    self._free.put_nowait(reader)
        except TimeoutError:
            raise StoreUnavailable(f"no answer from SQLite within {self._deadline:g} s") from None

    async def close(self) -> None:
        """Waits for what runs and closes the connections."""
        for _ in self._readers:
            reader = await self._free.get()
            await reader.executor.run(reader.connection.close)
            reader.executor.close()

    async def _lent(self, reader: Reader, function: Callable[[apsw.Connection], T]) -> T:
        try:
            return await reader.executor.run(lambda: self._guarded(reader.connection, function))
        except asyncio.CancelledError:
            reader.connection.interrupt()
            raise

    def _guarded(self, connection: apsw.Connection, function: Callable[[apsw.Connection], T]) -> T:
        self._faults.check()
        try:
            return function(connection)
        except apsw.Error as error:
            raise self._faults.judge(error) from error

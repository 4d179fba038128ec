"""The spool for programs: everything that touches the disk happens in one thread, and many events share one fsync."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from llm_incident_client.edge_agent.spool.limits import MIB, Limits, Priority, SpoolBroken, SpoolFull
from llm_incident_client.edge_agent.spool.log import SpoolLog
from llm_incident_client.edge_agent.spool.records import Record

T = TypeVar("T")

_WAIT_FROM = 8 * MIB  # payloads on their way to the disk, from which on those who can wait do
_MOST_ON_THE_WAY = 64 * MIB  # and from which on the others are refused: the memory that writers may take
_MOST_IN_A_COMMIT = 5_000


class Counts(NamedTuple):
    """The books of a spool: accepted = settled + waiting + dropped + lost; refused were never accepted."""

    accepted: int
    waiting: int
    settled: int
    dropped: int
    refused: int
    lost: int
    bytes: int


class _Item(NamedTuple):
    priority: Priority
    payload: bytes
    done: "asyncio.Future[None]"


class Spool:
    """Events on their way to the manager. Use it as an async context manager, from one event loop."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        """Nothing is opened before the block is entered."""
        self._folder = folder
        self._limits = limits or Limits()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._items: list[_Item] = []
        self._bytes = 0
        self._committing: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._turned_away: Counter[Priority] = Counter()
        self._broken: SpoolBroken | None = None

    async def __aenter__(self) -> Self:
        """Opens the folder. Raises SpoolInUse, OSError, UnknownFile."""
        try:
            self._log = await self._call(lambda: SpoolLog(self._folder, self._limits))
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        if self._log.waiting:
            self._arrived.set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Makes everything durable that was handed over, then closes the files."""
        if self._committing is not None:
            await asyncio.wait((self._committing,))
        await self._call(self._log.close)
        self._thread.shutdown()

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # -- events in ---------------------------------------------------------------------------------------------------

    async def put(self, payload: bytes, priority: Priority = Priority.NORMAL) -> None:
        """Takes a serialised event; it is durable when this returns.

        Raises SpoolFull when the event was refused, and SpoolBroken when the disk cannot be trusted any more.
        """
        while not self._room.is_set():
            await self._room.wait()
        await self.put_nowait(payload, priority)

    def put_nowait(self, payload: bytes, priority: Priority = Priority.NORMAL) -> "asyncio.Future[None]":
        """Like `put`, with a future that is done when the event is durable."""
        if self._broken is not None:
            raise self._broken
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._bytes >= _MOST_ON_THE_WAY:
            self._turned_away[priority] += 1  # the next commit counts it on the disk
            _fail(done, SpoolFull("the disk is slower than events come: await put(), or report fewer"))
            return done
        self._items.append(_Item(priority, payload, done))
        self._bytes += len(payload)
        if self._bytes >= _WAIT_FROM:
            self._room.clear()
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit(), name="spool-commit")
        return done

    async def _commit(self) -> None:
        try:
            while self._items:
                batch, self._items = self._items[:_MOST_IN_A_COMMIT], self._items[_MOST_IN_A_COMMIT:]
                self._bytes -= sum(len(item.payload) for item in batch)
                self._room.set()
                pairs = [(item.priority, item.payload) for item in batch]
                try:
                    kept = await self._call(lambda pairs=pairs: self._log.append(pairs))  # type: ignore[misc]
                except Exception as error:  # noqa: BLE001  # whatever it is, nobody may wait for ever
                    self._break(error, batch)
                    return
                _tell(batch, kept)
                if turned_away := self._turned_away:
                    self._turned_away = Counter()
                    await self._call(lambda lost=turned_away: self._log.refuse(lost))  # type: ignore[misc]
                self._arrived.set()
        finally:
            self._committing = None

    def _break(self, cause: Exception, batch: list[_Item]) -> None:
        self._broken = SpoolBroken(f"the spool in {self._folder} is broken: {cause}")
        self._broken.__cause__ = cause
        for item in (*batch, *self._items):
            if not item.done.done():
                item.done.set_exception(self._broken)
                item.done.exception()
        self._items.clear()
        self._arrived.set()

    # -- events out --------------------------------------------------------------------------------------------------

    async def read(self, most_events: int, most_bytes: int = MIB) -> list[Record]:
        """The next events in order, at least one: waits while there is none. Raises SpoolBroken."""
        while True:
            self._check()
            self._arrived.clear()
            if found := await self._call(lambda: self._log.read(most_events, most_bytes)):
                return found
            await self._arrived.wait()

    async def settle(self, count: int, sequence: int, results: Mapping[str, int]) -> None:
        """So many of the events read first are acknowledged; see SpoolLog.settle."""
        self._check()
        await self._call(lambda: self._log.settle(count, sequence, results))

    async def rewind(self) -> None:
        """What was read and not settled is read again."""
        await self._call(self._log.rewind)

    async def count_from(self, sequence: int | None) -> None:
        """See SpoolLog.count_from."""
        await self._call(lambda: self._log.count_from(sequence))

    async def told(self, given_up: int) -> None:
        """See SpoolLog.told."""
        await self._call(lambda: self._log.told(given_up))

    def _check(self) -> None:
        if self._broken is not None:
            raise self._broken

    # -- asking ------------------------------------------------------------------------------------------------------

    @property
    def sequence(self) -> int | None:
        """The number of the last settled event."""
        return self._log.state.sequence

    @property
    def sent(self) -> int:
        """Events that may have been sent and are not acknowledged."""
        return self._log.sent

    @property
    def waiting(self) -> int:
        """Durable events that are not acknowledged."""
        return self._log.waiting

    @property
    def untold(self) -> int:
        """Events that were given up and not reported yet."""
        return self._log.state.given_up - self._log.state.told

    @property
    def given_up(self) -> int:
        """Events that were dropped, refused or lost, ever."""
        return self._log.state.given_up

    @property
    def results(self) -> Mapping[str, int]:
        """How many events had which disposition."""
        return self._log.state.results

    def counts(self) -> Counts:
        """The books. They add up whenever nothing is on its way to the disk."""
        state = self._log.state
        return Counts(
            accepted=self._log.accepted,
            waiting=self._log.waiting,
            settled=sum(state.results.values()),
            dropped=sum(state.dropped.values()),
            refused=sum(state.refused.values()),
            lost=state.lost,
            bytes=self._log.size,
        )


def _tell(batch: list[_Item], kept: list[bool]) -> None:
    for item, durable in zip(batch, kept, strict=True):
        if item.done.done():
            continue
        if durable:
            item.done.set_result(None)
        else:
            text = "the spool is full of what matters as much: raise spool.max_bytes or spool.max_events"
            _fail(item.done, SpoolFull(text))


def _fail(done: "asyncio.Future[None]", error: SpoolFull) -> None:
    done.set_exception(error)
    done.exception()  # whoever awaits it sees it; it is counted in any case

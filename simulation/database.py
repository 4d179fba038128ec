"""A server's way to the database, and everything that can happen on it. The database itself is the real one.

Transactions take turns, as they do on SQLite: while one is open, at whatever await its server is, others wait for it,
at most as long as the store allows. What PostgreSQL lets run inside each other is not simulated.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import iscoroutinefunction
from typing import Any, Protocol

from llm_incident_manager.domain.errors import StoreUnavailable
from llm_incident_manager.ports.changes import Changes
from llm_incident_manager.ports.stores import KeyTaken, Store, Transaction
from simulation.books import Books
from simulation.world import World


class Owner(Protocol):
    """The server whose line it is."""

    dead: bool

    def disturb(self, what: str) -> None:
        """Notes that something happened to it which may make it repeat itself."""
        ...

    def freeze_now(self) -> None:
        """Stops for longer than its leases."""
        ...


class Abandoned(Exception):
    """The database undoes a transaction whose client has gone."""


class Line:
    """Implements ports.stores.Store: hands every call on, unless something happens to it."""

    def __init__(self, store: Store, world: World, books: Books, owner: Owner) -> None:
        """`books` see what is committed."""
        self._store = store
        self._world = world
        self._books = books
        self._owner = owner
        self.sessions: dict[Session, None] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not iscoroutinefunction(method):
            return method

        async def call(*args: Any, **named: Any) -> Any:
            return await self._ask(name, lambda: method(*args, **named))

        setattr(self, name, call)
        return call

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A unit of work."""
        return self._transaction()

    async def way(self) -> None:
        """The time that a message takes. A server that is dead by then hears nothing any more."""
        await asyncio.sleep(self._world.chance.latency("store.slow"))
        if self._owner.dead:
            raise asyncio.CancelledError

    def may_fail(self, fault: str) -> None:
        """Raises StoreUnavailable when that happens."""
        if self._world.chance.happens(fault):
            self._owner.disturb(fault)
            raise StoreUnavailable(fault)

    async def _ask(self, name: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        await self.way()
        self.may_fail("store.refused")
        answer = await ask()
        if name.startswith("claim_"):
            self._claimed(name, answer)
        await self.way()
        self.may_fail("store.unknown")
        return answer

    def _claimed(self, name: str, rows: list[Any]) -> None:
        if name == "claim_timers":
            self._books.claimed_timers(rows)
        else:
            self._books.claimed(rows)
        if rows and self._world.chance.happens("claim.frozen"):
            self._owner.freeze_now()

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Any]:
        await self.way()
        self.may_fail("store.refused")
        session = Session(self, self._store.transaction())
        await session.open()
        try:
            yield session
        except BaseException:
            await session.abandon()
            raise
        await session.commit()

    def may_be_taken(self) -> None:
        """Raises KeyTaken when that happens."""
        if self._world.chance.happens("store.taken"):
            raise KeyTaken("store.taken")

    def committed(self, written: list[Changes]) -> None:
        """Tells the books."""
        for changes in written:
            self._books.committed(changes)


class Session:
    """Implements ports.stores.Transaction."""

    def __init__(self, line: Line, unit: AbstractAsyncContextManager[Transaction]) -> None:
        """`unit` is the database's own, not entered yet."""
        self._line = line
        self._unit = unit
        self._written: list[Changes] = []
        self._ended = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._tx, name)

        async def call(*args: Any, **named: Any) -> Any:
            await self._way()
            return await method(*args, **named)

        setattr(self, name, call)
        return call

    async def open(self) -> None:
        """Waits for its turn."""
        self._tx = await self._unit.__aenter__()
        self._line.sessions[self] = None

    async def write(self, changes: Changes) -> None:
        """Writes, unless somebody was quicker."""
        await self._way()
        self._line.may_be_taken()
        await self._tx.write(changes)
        self._written.append(changes)

    async def commit(self) -> None:
        """Commits, or does not, or does and nobody hears of it."""
        try:
            await self._way()
            self._line.may_fail("store.refused")
        except BaseException:
            await self.abandon()
            raise
        self._end()
        await self._unit.__aexit__(None, None, None)
        self._line.committed(self._written)
        await self._line.way()
        self._line.may_fail("store.unknown")

    async def abandon(self) -> None:
        """Undoes everything; also called by a database that hears nothing from its client any more."""
        if not self._ended:
            self._end()
            gone = Abandoned()
            await self._unit.__aexit__(Abandoned, gone, None)

    async def _way(self) -> None:
        await self._line.way()
        if self._ended:
            raise StoreUnavailable("the database has ended this transaction")

    def _end(self) -> None:
        self._ended = True
        self._line.sessions.pop(self, None)

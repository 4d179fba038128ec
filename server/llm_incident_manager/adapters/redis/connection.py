"""The one door to Redis: every command has a deadline, and a Redis that is gone is not waited for.

Callers get RedisGone at once while the breaker is open. Only `run` talks to Redis then: it probes once a second, so
that Redis comes back into use, and its absence is known, although nobody asks for anything.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from llm_incident_manager.adapters.redis import failures
from llm_incident_manager.adapters.redis.breaker import NOT_REACHED, Breaker
from llm_incident_manager.adapters.redis.clients import Client, Clients, Deadlines
from llm_incident_manager.config.redis_urls import RedisTarget
from llm_incident_manager.domain.errors import DomainError, ErrorReason

PROBE_SECONDS = 1.0
T = TypeVar("T")


class RedisGone(Exception):
    """Redis did not answer in time, cannot work now, or is not asked since it did so before. Names no secret."""


class RedisDegraded(DomainError):
    """Redis is not used; everything goes on without it."""

    def __init__(self, why: str) -> None:
        """`why` names no address and no secret."""
        super().__init__(ErrorReason.STORE_UNAVAILABLE, f"degraded: Redis is not used: {why}")


class Connection:
    """Redis as the rest of the server sees it. For one event loop."""

    def __init__(
        self, target: RedisTarget, deadlines: Deadlines, prefix: str, told: Callable[[bool, str], None]
    ) -> None:
        """Connects to nothing yet. `told` hears whether Redis is used, and why not: once at the start, then when it
        changes. `prefix` begins all keys."""
        self._prefix = prefix
        self._deadlines = deadlines
        self._clients = Clients(target, deadlines, blocking=False)
        self._blocking = Clients(target, deadlines, blocking=True)
        self._told = told
        self._breaker: Breaker = NOT_REACHED
        self._told_up: bool | None = None
        self._broken = False

    @property
    def up(self) -> bool:
        """Whether callers get through."""
        return not self._breaker.opened

    def key(self, kind: str, tag: str, *parts: str) -> str:
        """A key such as `llm-im:cache:{tenant}:name`: keys with one `tag` lie on one node of a cluster, and only
        those may be used together in one command, script or transaction."""
        return ":".join((self._prefix, kind, f"{{{tag}}}", *parts))

    async def ask(self, work: Callable[[Client], Awaitable[T]]) -> T:
        """The outcome of one command, script or pipeline. Raises RedisGone, within the deadlines; and redis-py's
        ResponseError when Redis works and refuses just this."""
        return await self._through(self._clients, work, self._deadlines.connect + self._deadlines.command)

    async def wait(self, work: Callable[[Client], Awaitable[T]], seconds: float) -> T:
        """As `ask`, for a command that waits up to `seconds` for news (XREADGROUP BLOCK), on connections of its
        own."""
        within = seconds + self._deadlines.connect + self._deadlines.command
        return await self._through(self._blocking, work, within)

    async def check(self) -> None:
        """Raises RedisDegraded unless it is in use. Asks nobody: the probe has."""
        if self._breaker.opened:
            raise RedisDegraded(self._breaker.why)

    async def run(self) -> None:
        """Probes for ever."""
        while True:
            await self.probe()
            await asyncio.sleep(PROBE_SECONDS)

    async def probe(self) -> None:
        """Asks whether Redis is there, although the breaker may be open, and lets callers through if so."""
        if self._broken:
            await self.close()  # connections of before may be half-open: the probe must not meet one of them
            self._broken = False
        with suppress(RedisGone):
            await self._attempt(self._clients, _ping, self._deadlines.connect + self._deadlines.command)
            self._breaker = self._breaker.probed()
            self._tell()

    async def close(self) -> None:
        """Ends all connections."""
        with suppress(*failures.GONE):
            await self._clients.close()
        with suppress(*failures.GONE):
            await self._blocking.close()

    async def _through(self, clients: Clients, work: Callable[[Client], Awaitable[T]], within: float) -> T:
        if self._breaker.opened:
            raise RedisGone(self._breaker.why)
        answer = await self._attempt(clients, work, within)
        self._breaker = self._breaker.answered()
        return answer

    async def _attempt(self, clients: Clients, work: Callable[[Client], Awaitable[T]], within: float) -> T:
        caller = asyncio.current_task()
        assert caller is not None
        before = caller.cancelling()
        try:
            async with asyncio.timeout(within):
                answer = await work(clients.client)
        except failures.GONE as error:
            why = failures.why_gone(error)
            if not why:
                self._breaker = self._breaker.answered()
                raise
            self._failed(why)
            _go_on(caller, before)
            raise RedisGone(why) from error
        _go_on(caller, before)
        return answer

    def _failed(self, why: str) -> None:
        was_open, self._breaker = self._breaker.opened, self._breaker.failed(why)
        self._broken = self._broken or (self._breaker.opened and not was_open)
        if self._breaker.opened:
            self._tell()

    def _tell(self) -> None:
        if self._told_up is not self.up:
            self._told_up = self.up
            self._told(self.up, self._breaker.why)


async def _ping(client: Client) -> None:
    await client.ping()


def _go_on(caller: "asyncio.Task[object]", before: int) -> None:
    """Raises CancelledError when the caller was cancelled meanwhile: now and then the client answers nevertheless, and
    whoever was to end would go on for ever."""
    if caller.cancelling() > before:
        raise asyncio.CancelledError

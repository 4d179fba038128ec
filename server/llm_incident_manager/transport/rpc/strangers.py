"""Calls that need no credential, health and reflection: few at once, and none that waits for ever, so that they leave
to others what gRPC takes at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import grpc
from grpc.aio import ServicerContext

from llm_incident_manager.transport.call import source_of

MOST = 400
"""At once, of all."""
MOST_OF_ONE = 100
"""At once, from one address."""
PATIENCE_SECONDS = 10.0
"""For a message that is to come, and for one that is to be taken."""

Context: TypeAlias = "ServicerContext[bytes, bytes]"
Behaviour = Callable[[Context], Awaitable[None]]


class Strangers:
    """Who is served without a credential just now."""

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        """Nobody yet."""
        self._most = most
        self._most_of_one = most_of_one
        self._of: Counter[str] = Counter()

    def handler(self, behaviour: Behaviour) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """Serves a method of any shape, as a stream both ways: of others gRPC would wait for the request before anybody
        may count the call."""

        async def handle(_: AsyncIterator[bytes], context: Context) -> None:
            source = source_of(context.peer())
            if self.count >= self._most or self._of[source] >= self._most_of_one:
                await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls of this kind: end some of them")
            with self._counted(source):
                try:
                    await behaviour(context)
                except TimeoutError:
                    await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the other side took too long")

        return grpc.stream_stream_rpc_method_handler(handle)

    @property
    def count(self) -> int:
        """How many they are."""
        return self._of.total()

    @contextmanager
    def _counted(self, source: str) -> Iterator[None]:
        self._of[source] += 1
        try:
            yield
        finally:
            self._of[source] -= 1
            if not self._of[source]:
                del self._of[source]


async def received(context: Context, patience: float = PATIENCE_SECONDS) -> bytes | None:
    """The next message; None when there is none any more. Raises TimeoutError."""
    async with asyncio.timeout(patience):
        return await message(context)


async def message(context: Context) -> bytes | None:
    """As `received`, however long it takes."""
    data: object = await context.read()
    return data if isinstance(data, bytes) else None


async def sent(context: Context, reply: bytes, patience: float = PATIENCE_SECONDS) -> None:
    """Sends a message. Raises TimeoutError when it is not taken."""
    async with asyncio.timeout(patience):
        await context.write(reply)

"""What is asked for often and costs something to find out: found out once for all who ask within a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SECONDS = 0.25
"""How old an answer may be."""


class Fresh(Generic[T]):
    """One answer at a time, for everybody."""

    def __init__(self, find: Callable[[], Awaitable[T]], seconds: float = SECONDS) -> None:
        """`find` makes an answer, which is good for so many seconds after it was asked for."""
        self._find = find
        self._seconds = seconds
        self._task: asyncio.Task[T] | None = None
        self._stale_at = 0.0

    async def get(self) -> T:
        """The answer. Raises what `find` raises. Who does not wait for it any more takes it from nobody else."""
        now = asyncio.get_running_loop().time()
        if self._task is None or (self._task.done() and (now >= self._stale_at or _failed(self._task))):
            self._stale_at = now + self._seconds
            self._task = asyncio.create_task(self._made(), name="fresh")
        return await asyncio.shield(self._task)

    async def _made(self) -> T:
        return await self._find()


def _failed(task: asyncio.Task[T]) -> bool:
    return task.cancelled() or task.exception() is not None

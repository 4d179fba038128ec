"""What an iterating method of the blocking client gives."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from llm_incident_client.sync.blocking import Blocking

T = TypeVar("T")


class _End:
    """Stands for the end; StopIteration cannot pass through a future."""


_END = _End()


class Items(Iterator[T], Generic[T]):
    """Things that come one by one, each waited for: `for change in client.watch(): ...`.

    `close` ends it at once, also for a thread that waits for the next; so do leaving a `with` block and dropping it.
    Several threads may take from one: each thing goes to one of them.
    """

    def __init__(self, owner: Blocking, source: AsyncGenerator[T, None]) -> None:
        """`source` runs in the owner's thread; the owner lives as long as this does."""
        self._owner = owner
        self._source = source
        self._turn = asyncio.Lock()
        self._taking: asyncio.Task[object] | None = None
        self._closed = False

    def __next__(self) -> T:
        """Waits for the next. Raises IncidentManagerError as the asynchronous method does."""
        taken = self._owner.portal.wait(self._take())
        if isinstance(taken, _End):
            raise StopIteration
        return taken

    def __enter__(self) -> Self:
        """Nothing happens before the first is taken."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Ends it: whoever waits for the next learns that there is none. A second call does nothing."""
        self._owner.portal.wait(self._close())

    async def _take(self) -> T | _End:
        async with self._turn:
            if self._is_closed():
                return _END
            self._taking = asyncio.current_task()
            try:
                return await anext(self._source, _END)
            except asyncio.CancelledError:
                if self._is_closed():
                    return _END
                raise
            finally:
                self._taking = None

    async def _close(self) -> None:
        self._closed = True
        if self._taking is not None:
            self._taking.cancel()
        async with self._turn:
            await self._source.aclose()

    def _is_closed(self) -> bool:
        return self._closed

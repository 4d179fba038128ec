"""Where blocking functions run: on a thread of their own, or inline when time is virtual. Never looks into them."""

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class InlineExecutor:
    """Runs each function at once, on the caller's thread. Nothing else can happen in between."""

    def __init__(self, name: str = "inline") -> None:
        """`name` is for the reader of a debugger only."""
        self.name = name

    async def run(self, function: Callable[[], T]) -> T:
        """Returns the function's value or raises its exception, without giving up control."""
        return function()

    def close(self) -> None:
        """Nothing was begun that is not finished."""


class ThreadExecutor:
    """Runs functions one after the other on one thread of its own, in the order `run` was called."""

    def __init__(self, name: str) -> None:
        """Starts the thread; `name` is what debuggers and profilers show."""
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[], T]) -> T:
        """Returns the function's value or raises its exception.

        A cancelled caller stops waiting; the function still runs, and before any function given later.
        """
        if self._closed:
            raise RuntimeError(f"{self._thread.name} is closed: it takes no more work")
        loop = asyncio.get_running_loop()
        job = _Job(function, loop, loop.create_future())
        self._jobs.put(job)
        return await job.outcome  # type: ignore[no-any-return]  # the future holds what `function` returns

    def close(self) -> None:
        """Ends the thread after what was given so far; blocks until it has. A second call does nothing."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            del job  # or the function, with all it holds, lives until the next one comes


class _Job:
    __slots__ = ("function", "loop", "outcome")

    def __init__(
        self, function: Callable[[], object], loop: asyncio.AbstractEventLoop, outcome: asyncio.Future[Any]
    ) -> None:
        self.function = function
        self.loop = loop
        self.outcome = outcome

    def run(self) -> None:
        try:
            value, error = self.function(), None
        except BaseException as raised:  # noqa: BLE001  # whoever waits gets it, whatever it is
            value, error = None, raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._finish, value, error)

    def _finish(self, value: object, error: BaseException | None) -> None:
        if self.outcome.done():  # the caller was cancelled
            return
        if error is None:
            self.outcome.set_result(value)
        else:
            self.outcome.set_exception(error)

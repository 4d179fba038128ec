"""The one thread in which a blocking client's asynchronous one lives, and the way for other threads to call it."""

import asyncio
import concurrent.futures
import os
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

from llm_incident_client.core import errors

T = TypeVar("T")
ResourceT = TypeVar("ResourceT")

_processes: set[int] = set()
"""This process, once a portal was opened in it, and those it was forked from. gRPC's threads outlive a client."""


class Portal(Generic[ResourceT]):
    """An event loop in a daemon thread, and a resource that is entered and left in it.

    Safe to use from every thread but its own; the end of the interpreter stops it in good order.
    """

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[ResourceT]]) -> None:
        """`make` is called in the new thread; what it raises is raised here.

        Raises RuntimeError in a process forked after the first portal was opened: gRPC does not survive that.
        """
        self._pid = os.getpid()
        if _processes - {self._pid}:
            raise RuntimeError(
                "a blocking client was used before this process was forked, and gRPC does not survive that: "
                "start processes with the method 'spawn', or fork before the first client is made"
            )
        _processes.add(self._pid)
        self._lock = threading.Lock()
        self._stopped = False
        opened: concurrent.futures.Future[ResourceT] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, args=(make, opened), name="llm-incident-client", daemon=True)
        self._thread.start()
        self.resource = opened.result()

    def _run(
        self,
        make: Callable[[], AbstractAsyncContextManager[ResourceT]],
        opened: "concurrent.futures.Future[ResourceT]",
    ) -> None:
        try:
            asyncio.run(self._live(make, opened))
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)

    async def _live(
        self,
        make: Callable[[], AbstractAsyncContextManager[ResourceT]],
        opened: "concurrent.futures.Future[ResourceT]",
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        async with make() as resource:
            opened.set_result(resource)
            await self._stopping.wait()
            await _cancel_others()

    def check(self) -> None:
        """Raises RuntimeError where waiting could never end: in a forked process, and in the portal's own thread."""
        if os.getpid() != self._pid:
            raise RuntimeError(
                "this client was made before the process was forked, and its thread is not in the new one: "
                "make the client in each process, after the fork"
            )
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "called from the client's own thread, which would wait for itself: do not call the blocking client "
                "in on_state, a token source, or a callback of a future; hand the work to another thread"
            )

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs the coroutine in the portal's thread and returns or raises what it does.

        An interrupted wait (Ctrl-C) cancels it. Raises ClientClosed when the portal is stopped, and see `check`.
        """
        future = self._start(work)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise errors.ClientClosed from None
        except BaseException:
            future.cancel()
            raise

    def _start(self, work: Coroutine[Any, Any, T]) -> "concurrent.futures.Future[T]":
        try:
            self.check()
            with self._lock:  # everything is either started before the loop begins to stop, or refused
                self._check_open()
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        except BaseException:
            work.close()
            raise

    def _check_open(self) -> None:
        if self._stopped:
            raise errors.ClientClosed

    def soon(self, callback: Callable[[], object]) -> None:
        """Calls something in the portal's thread; after the end does nothing."""
        with self._lock:
            if not self._stopped:
                self._loop.call_soon_threadsafe(callback)

    def stop(self) -> None:
        """Cancels what runs, leaves the resource and ends the thread. A second call does nothing."""
        if os.getpid() != self._pid:
            return  # the thread is another process's
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        self._loop.call_soon_threadsafe(self._stopping.set)
        if threading.current_thread() is not self._thread:
            self._thread.join()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others)

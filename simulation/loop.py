"""An event loop whose time is a number: it jumps to the next timer when nothing is ready, and a seed decides who runs.

Callbacks belong to lanes, one for each simulated process and client. Within a lane they run in order, as asyncio
promises its users; between lanes the order is drawn. A lane can be frozen, as a process is by SIGSTOP.
"""

import asyncio
import heapq
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from itertools import count
from random import Random
from typing import Any, Self, TypeVar

T = TypeVar("T")

MOST_STEPS = 3_000_000
"""A run that takes more turns in circles."""


class Stuck(Exception):
    """Nothing can ever happen again, or the same happens for ever."""


LANE: "ContextVar[Lane]" = ContextVar("lane")


class Lane:
    """What one simulated process or client has to do."""

    def __init__(self, name: str, loop: "VirtualLoop") -> None:
        """Use `VirtualLoop.lane`."""
        self.name = name
        self.frozen = False
        self._queue: deque[asyncio.Handle] = deque()
        self._loop = loop
        self._ready = loop._ready
        self._tasks: list[asyncio.Task[Any]] = []
        self._most = 64
        self.context = copy_context()
        """For callbacks of this lane."""
        self.context.run(LANE.set, self)

    def spawn(self, work: Coroutine[Any, Any, T], name: str) -> "asyncio.Task[T]":
        """Starts a task in this lane; whatever that starts is of this lane, too."""
        return self._loop.create_task(work, name=name, context=self.context.copy())

    def append(self, handle: asyncio.Handle) -> None:
        """Runs it behind what is to be run already."""
        self._queue.append(handle)
        if len(self._queue) == 1 and not self.frozen:
            self._ready.append(self)

    def run_first(self) -> bool:
        """Runs what is first; whether there is more."""
        handle = self._queue[0]
        if not handle.cancelled():
            handle._run()
        self._queue.popleft()
        return bool(self._queue)

    def freeze(self) -> None:
        """Runs nothing any more."""
        if not self.frozen and self._queue:
            self._ready.remove(self)
        self.frozen = True

    def thaw(self) -> None:
        """Goes on where it was."""
        if self.frozen and self._queue:
            self._ready.append(self)
        self.frozen = False

    def add(self, task: "asyncio.Task[Any]") -> None:
        """Remembers a task, to end it with the lane."""
        if len(self._tasks) >= self._most:
            self._tasks = self.tasks
            self._most = 2 * len(self._tasks) + 64
        self._tasks.append(task)

    @property
    def tasks(self) -> "list[asyncio.Task[Any]]":
        """The tasks that are not done, oldest first."""
        return [task for task in self._tasks if not task.done()]


class VirtualLoop(asyncio.AbstractEventLoop):
    """As much of an event loop as code without sockets and threads needs; all else raises NotImplementedError."""

    @classmethod
    def drawing_from(cls, random: Random) -> Self:
        """A loop that draws from `random` which lane goes on. Time starts at 0 seconds."""
        return cls(random)

    def __init__(self, random: Random) -> None:
        """Use `drawing_from`: to a type checker this class lacks the methods that nobody needs here."""
        self._random = random
        self._now = 0.0
        self._order = count()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._ready: list[Lane] = []
        self.world = self.lane("world")
        self.defects: list[str] = []
        """What nobody has caught."""
        self.steps = 0

    def lane(self, name: str) -> Lane:
        """A new lane."""
        return Lane(name, self)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Runs until `main` is done; returns its value. Raises Stuck, or what it raises."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=None, finalizer=self._finish)
        asyncio._set_running_loop(self)
        try:
            task = self.world.spawn(main, "main")
            while not task.done():
                self._step()
            return task.result()
        finally:
            asyncio._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)

    def _finish(self, generator: AsyncGenerator[Any, Any]) -> None:
        """Ends a generator that nobody will ask again, as every event loop does."""
        self.create_task(generator.aclose())

    def _step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise Stuck(f"{MOST_STEPS} steps and {self._now:.1f} s, and no end")
        timers, ready = self._timers, self._ready
        while timers and timers[0][0] <= self._now:
            timer = heapq.heappop(timers)[2]
            if not timer.cancelled():
                self._lane_of(timer._context).append(timer)  # type: ignore[attr-defined]  # every handle has one
        if not ready:
            if not timers:
                raise Stuck("everybody waits for somebody else")
            self._now = timers[0][0]
            return
        at = int(self._random.random() * len(ready))
        lane = ready[at]
        if not lane.run_first() and not lane.frozen:
            ready.remove(lane)

    def _lane_of(self, context: Context) -> Lane:
        return context.get(LANE, self.world)

    def time(self) -> float:
        """Seconds since the start."""
        return self._now

    def call_soon(  # type: ignore[override]  # any callback with its arguments
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Runs it at the next turn of its lane."""
        found = copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, found)
        self._lane_of(found).append(handle)
        return handle

    def call_at(  # type: ignore[override]  # any callback with its arguments
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Runs it at that time."""
        found = copy_context() if context is None else context
        timer = asyncio.TimerHandle(when, callback, args, self, found)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def call_later(  # type: ignore[override]  # any callback with its arguments
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Runs it after so many seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def create_future(self) -> "asyncio.Future[Any]":
        """A future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: str | None = None, context: Context | None = None) -> "asyncio.Task[Any]":
        """A task in the lane of its context."""
        found = copy_context() if context is None else context
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, name=name, context=found)
        self._lane_of(found).add(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Remembers what nobody has caught."""
        self.defects.append(f"{context.get('message')}: {context.get('exception')!r}")

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """Whenever somebody asks."""
        return True

    def is_closed(self) -> bool:
        """Never."""
        return False

"""Who is let in at the doors when more calls come than can be at work. Counts; engines.admission decides."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from llm_incident_manager.domain.errors import Overloaded
from llm_incident_manager.engines import admission
from llm_incident_manager.engines.admission import Priority, Reason
from llm_incident_manager.pipeline.buffer import Drained
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport.call import Call, Proceed
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.usecases.sending import Room, Share

T = TypeVar("T")

QUEUE = 8
"""Callers that may wait for each place at work."""
PATIENCE_SECONDS = 2.0
"""How long they wait for it."""
SUBSCRIBER_SECONDS = 10
"""When to come back once there are too many subscribers: they stay for long."""
_MUCH_WORK = ("List", "Analyze", "Explain", "GetIncidentMetrics")


def is_subscription(method: Method) -> bool:
    """Whether its caller stays to be told of changes."""
    return method.response_streaming and not method.request_streaming


def priority(method: Method) -> Priority:
    """How urgent a call is as far as its method tells. Events of a single call are judged behind the door, where the
    buffer knows how many callers wait; so all of them come through it."""
    if method.permission == "EVENT_WRITE":
        return Priority.NORMAL if method.request_streaming else Priority.URGENT
    if method.permission == "INCIDENT_WRITE":
        return Priority.URGENT
    return Priority.DEFERRABLE if method.name.startswith(_MUCH_WORK) else Priority.NORMAL


@dataclass(frozen=True, slots=True)
class Places:
    """Calls, subscribers and sessions of agents at once, bytes on their way to subscribers, the share of calls that is
    kept for what is urgent, and how many reads that are much work, and units of work that take events, may ask the
    database at once."""

    calls: int = 2_000
    subscribers: int = 1_000
    sending: int = 216 * 1024 * 1024
    reserve: float = 0.2
    reads: int = 8
    writes: int = 8
    sessions: int = 5_000


class Slots:
    """Places at work that calls wait for: not many, and not long."""

    def __init__(self, most: int, reason: Reason, refuse: Callable[[Reason, Priority, int], Overloaded]) -> None:
        """`refuse` makes the error when there is no place in time."""
        self._most = most
        self._free = asyncio.Semaphore(most)
        self._waiting = self._active = 0
        self._reason = reason
        self._refuse = refuse

    @asynccontextmanager
    async def place(self, urgency: Priority, *, strained: bool = False) -> AsyncIterator[None]:
        """A place; when all are strained only a quarter of them, and nobody may wait. Raises Overloaded."""
        if self._active + self._waiting >= (max(1, self._most // 4) if strained else self._most * (QUEUE + 1)):
            raise self._refuse(self._reason, urgency, self._most)
        await self._wait(urgency)
        self._active += 1
        try:
            yield
        finally:
            self._active -= 1
            self._free.release()

    async def _wait(self, urgency: Priority) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._free.acquire()
        except TimeoutError as late:
            raise self._refuse(self._reason, urgency, self._most) from late
        finally:
            self._waiting -= 1


class Door:
    """Counts the calls at work and the subscribers of all transports."""

    def __init__(
        self,
        places: Places,
        metrics: Metrics,
        strained: Callable[[], bool] = lambda: False,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`strained` tells whether reads that are much work should stand back; `jitter` gives numbers in [0, 1)."""
        self._places = places
        self._metrics = metrics
        self._strained = strained
        self._jitter = jitter
        self._calls = self._subscribers = self._sessions = 0
        self._ended = Drained()
        self._room = Room(places.sending, lambda: self.refuse(Reason.SENDING, Priority.NORMAL, places.sending))
        self.reads = Slots(places.reads, Reason.READS, self.refuse)
        self.writes = Slots(places.writes, Reason.WRITES, self.refuse)

    def enter(self, urgency: Priority) -> None:
        """A call is at work; `leave` follows. No context manager: that would cost each call as much as all else here.
        Raises Overloaded."""
        places = self._places
        refused = admission.among_calls(places.calls, self._calls, urgency, places.reserve)
        if refused is not None:
            raise self.refuse(refused, urgency, places.calls)
        self._calls += 1

    def leave(self) -> None:
        """A call has ended."""
        self._calls -= 1
        self._ended.count(1, asyncio.get_running_loop().time())

    @contextmanager
    def subscriber(self) -> Iterator[Share]:
        """While somebody is told of changes. Its share of the memory is closed by whoever sends to it: what it does not
        take lies there even after it was cut off. Raises Overloaded."""
        if self._subscribers >= self._places.subscribers:
            raise self.refuse(Reason.SUBSCRIBERS, Priority.NORMAL, self._places.subscribers)
        share = self._room.share()
        self._subscribers += 1
        try:
            yield share
        finally:
            self._subscribers -= 1

    @contextmanager
    def session(self) -> Iterator[None]:
        """While an agent stays, which does nothing most of the time. Raises Overloaded."""
        if self._sessions >= self._places.sessions:
            raise self.refuse(Reason.SESSIONS, Priority.NORMAL, self._places.sessions)
        self._sessions += 1
        try:
            yield
        finally:
            self._sessions -= 1

    def read(self) -> AbstractAsyncContextManager[None]:
        """A place for a read that is much work. Raises Overloaded."""
        return self.reads.place(Priority.DEFERRABLE, strained=self._strained())

    def refuse(self, reason: Reason, urgency: Priority, limit: int) -> Overloaded:
        """Counts a refusal, and words it."""
        self._metrics.shed(reason, urgency)
        stays = reason in (Reason.SUBSCRIBERS, Reason.SENDING, Reason.SESSIONS, Reason.CONNECTIONS)
        ahead, rate = (SUBSCRIBER_SECONDS, 1.0) if stays else (limit, self._ended.rate)
        return Overloaded(_WORDS[reason], limit, admission.come_back_in(ahead, rate, self._jitter()), reason)


_WORDS = {
    Reason.CALLS: "the number of calls at work",
    Reason.WRITES: "the number of calls that write events under a request_id",
    Reason.READS: "the number of lists and searches at work",
    Reason.SUBSCRIBERS: "the number of subscribers",
    Reason.SESSIONS: "the number of sessions of Edge-Agents",
    Reason.SENDING: "the memory for what is being sent to subscribers",
    Reason.CONNECTIONS: "the number of WebSocket connections",
}


_known: dict[str, Priority] = {}
"""How urgent methods are, by their names: to judge one costs more than to look."""


class Admission:
    """Refuses calls that find no place, before anything is done for them."""

    name = "admission"
    after = frozenset({"errors", "deadline"})

    def __init__(self, door: Door) -> None:
        """Counts at this door."""
        self._door = door

    async def around(self, call: Call, proceed: Proceed[T]) -> T:
        """Raises Overloaded."""
        method = call.method
        if is_subscription(method):
            with self._door.subscriber() as call.share:
                return await proceed()
        if method.permission == "AGENT_CONNECT":
            with self._door.session():
                return await proceed()
        urgency = _known.get(method.name) or _known.setdefault(method.name, priority(method))
        self._door.enter(urgency)
        try:
            if urgency is not Priority.DEFERRABLE:
                return await proceed()
            async with self._door.read():
                return await proceed()
        finally:
            self._door.leave()

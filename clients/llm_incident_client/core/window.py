"""The numbers of a resumable stream: which events wait, which are in flight, which acknowledgement belongs to which.

Pure bookkeeping: no I/O, no clock, no tasks. Every event added comes out of `acknowledged` exactly once, in order,
however often the connection is cut; never more events are in flight than the server gave credits for.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

TicketT = TypeVar("TicketT")
ResultT = TypeVar("ResultT")


class Opening(StrEnum):
    """What the server's last sequence number says about us."""

    FIRST = "first"
    RESUMED = "resumed"
    FORGOTTEN = "forgotten"


class StreamConfused(Exception):
    """The server broke the protocol, for instance by acknowledging what was never sent."""


class Overtaken(Exception):
    """The server has events of this producer that this stream never sent: somebody else uses the producer id."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Events to send next, with consecutive numbers."""

    first_sequence: int
    payloads: list[bytes]


class Window(Generic[TicketT]):
    """All events that are not acknowledged, oldest first: those in flight, then those that wait.

    A ticket is whatever the caller wants back with an event's result.
    """

    def __init__(self, max_events: int, max_bytes: int) -> None:
        """Bounds what may be held at a time; one event is always taken, whatever its size."""
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._flight: deque[tuple[bytes, TicketT]] = deque()
        self._queue: deque[tuple[bytes, TicketT]] = deque()
        self._bytes = 0
        self._queued_bytes = 0
        self._base = 0  # number of the oldest event held; 0 until the first opening
        self._highest = 0  # highest number ever sent
        self._credits = 0
        self._max_frame = 1

    def __len__(self) -> int:
        """How many events are held."""
        return len(self._flight) + len(self._queue)

    @property
    def acknowledged_sequence(self) -> int:
        """The number of the last acknowledged event; 0 before the first opening."""
        return max(self._base - 1, 0)

    def resume(self, sequence: int, sent_at_most: int) -> None:
        """Goes on where a former process was: this number was acknowledged, so many behind it may have been sent."""
        self._base, self._highest = sequence + 1, sequence + sent_at_most

    @property
    def in_flight(self) -> int:
        """How many events are sent and not acknowledged."""
        return len(self._flight)

    @property
    def queued(self) -> int:
        """How many events wait to be sent."""
        return len(self._queue)

    @property
    def queued_bytes(self) -> int:
        """Size of the waiting events."""
        return self._queued_bytes

    @property
    def max_frame_events(self) -> int:
        """Largest frame the server takes."""
        return self._max_frame

    def has_room(self) -> bool:
        """Whether another event may be added."""
        held = len(self._flight) + len(self._queue)
        return not held or (held < self._max_events and self._bytes < self._max_bytes)

    def add(self, payload: bytes, ticket: TicketT) -> None:
        """Takes a serialised event. Ask `has_room` first."""
        self._queue.append((payload, ticket))
        self._bytes += len(payload)
        self._queued_bytes += len(payload)

    def opened(self, last_sequence: int, credits_given: int, max_frame_events: int) -> Opening:
        """A new connection is open: from here on all events held are sent again, from the oldest.

        Raises Overtaken when the server knows more than was ever sent.
        """
        self.cut()
        opening = self._renumber(last_sequence)
        self._credits = credits_given
        self._max_frame = max(max_frame_events, 1)
        return opening

    def _renumber(self, last_sequence: int) -> Opening:
        if self._base == 0:
            self._base, self._highest = last_sequence + 1, last_sequence
            return Opening.FIRST
        if last_sequence > self._highest:
            raise Overtaken(f"the server has events up to {last_sequence}, this stream sent up to {self._highest}")
        if last_sequence >= self._base - 1:
            return Opening.RESUMED
        # It lost what it had acknowledged (restored, or kept in memory only): it has none of ours above its number,
        # so those we hold follow there.
        self._base, self._highest = last_sequence + 1, last_sequence
        return Opening.FORGOTTEN

    def next_frame(self, max_events: int, max_bytes: int) -> Frame | None:
        """The next events as a frame, now in flight; None without events or credits."""
        count = min(max_events, self._max_frame, len(self._queue), self._credits - len(self._flight))
        if count <= 0:
            return None
        first_sequence = self._base + len(self._flight)
        payloads = self._take(count, max_bytes)
        self._highest = max(self._highest, first_sequence + len(payloads) - 1)
        return Frame(first_sequence, payloads)

    def _take(self, count: int, max_bytes: int) -> list[bytes]:
        payloads: list[bytes] = []
        size = 0
        while len(payloads) < count:
            item = self._queue[0]
            size += len(item[0])
            if size > max_bytes and payloads:
                size -= len(item[0])
                break
            self._flight.append(self._queue.popleft())
            payloads.append(item[0])
        self._queued_bytes -= size
        return payloads

    def acknowledged(
        self, first_sequence: int, results: Sequence[ResultT], credits_given: int
    ) -> list[tuple[TicketT, ResultT]]:
        """Pairs each newly acknowledged event's ticket with its result. Results already taken are passed over.

        Raises StreamConfused when results are missing in between or belong to nothing in flight.
        """
        known = self._base - first_sequence
        if known < 0:
            raise StreamConfused(f"acknowledgements start at {first_sequence}, {self._base} was next")
        fresh = results[known:] if known else results
        if len(fresh) > len(self._flight):
            raise StreamConfused(f"{len(fresh)} events acknowledged, only {len(self._flight)} are in flight")
        self._credits = credits_given
        settled = []
        for result in fresh:
            payload, ticket = self._flight.popleft()
            self._bytes -= len(payload)
            settled.append((ticket, result))
        self._base += len(settled)
        return settled

    def cut(self) -> None:
        """The connection is gone: what was in flight waits again, in order, ahead of the rest."""
        self._queued_bytes = self._bytes
        self._queue.extendleft(reversed(self._flight))
        self._flight.clear()
        self._credits = 0

    def clear(self) -> list[TicketT]:
        """Forgets every event and returns their tickets, oldest first."""
        tickets = [ticket for _, ticket in (*self._flight, *self._queue)]
        self._flight.clear()
        self._queue.clear()
        self._bytes = self._queued_bytes = 0
        return tickets

"""The events of one priority: a row of files, of which the newest is written, and a place from which they are read."""

from collections import deque
from pathlib import Path
from typing import NoReturn

from llm_incident_client.edge_agent.spool import records
from llm_incident_client.edge_agent.spool.limits import Limits, Priority
from llm_incident_client.edge_agent.spool.records import Head, Record
from llm_incident_client.edge_agent.spool.segment import Segment

_CHUNK = 256 * 1024  # bytes read from disk at a time: the memory that reading takes


class Damage(Exception):
    """Committed records of a segment cannot be read any more."""

    def __init__(self, segment: str, lost: int) -> None:
        """How many are lost with it."""
        super().__init__(f"{segment} is damaged: {lost} events are lost")
        self.segment = segment
        self.lost = lost


class Lane:
    """Segments of one priority, oldest first. `waiting` events are neither settled nor given up; `size` is in bytes."""

    def __init__(self, folder: Path, priority: Priority, limits: Limits) -> None:
        """An empty lane; `load` finds what is there."""
        self.priority = priority
        self.waiting = 0
        self.size = 0
        self.next_ordinal = 0
        self.segments: deque[Segment] = deque()
        self._folder = folder
        self._limits = limits
        self._ahead: deque[Record] = deque()  # durable events in memory, not taken yet
        self._reading: Segment | None = None
        self._offset = 0  # in the segment that is read
        self._read_events = 0  # of that segment
        self._read_to = 0  # position of the last event that was read

    @property
    def last_position(self) -> int:
        """The highest position it knows of; 0 when none."""
        return max((segment.last_position for segment in self.segments), default=0)

    # -- writing -----------------------------------------------------------------------------------------------------

    def add(self, position: int, payload: bytes) -> None:
        """Takes an event; `flush` makes it durable."""
        active = self.segments[-1] if self.segments else self._roll()
        if active.size >= self._limits.segment_bytes or active.events >= self._limits.segment_events:
            active = self._roll()
        self.size += active.add(position, payload)
        self.next_ordinal += 1
        self.waiting += 1

    def _roll(self) -> Segment:
        head = Head(self.priority, self.next_ordinal)
        path = self._folder / f"{self.priority.name.lower()}-{head.first_ordinal:016d}.seg"
        self.take_over(segment := Segment(path, head))
        return segment

    def take_over(self, segment: Segment) -> None:
        """Makes it the newest one."""
        self.segments.append(segment)
        self.size += segment.size
        self.next_ordinal = segment.next_ordinal

    def flush(self) -> None:
        """Makes everything added durable, in order. Raises OSError and SpoolBroken as Segment.flush does."""
        for segment in list(self.segments):
            if segment.flushed_events < segment.events:
                segment.flush()

    def forget_waiting(self) -> int:
        """After `flush` failed: gives up what is not on disk; how many events that were."""
        forgotten = sum(segment.forget_waiting() for segment in self.segments)
        while self.segments and not self.segments[-1].events and not self.segments[-1].committed:
            self.segments.pop()
        self.next_ordinal -= forgotten
        self.waiting -= forgotten
        self.size = sum(segment.size for segment in self.segments)
        return forgotten

    # -- reading -----------------------------------------------------------------------------------------------------

    def peek(self) -> Record | None:
        """The next durable event that was not taken. Raises Damage once for what cannot be read; go on after it."""
        while not self._ahead:
            if not self._read_more():
                return None
        return self._ahead[0]

    def take(self) -> None:
        """Takes the event that `peek` showed."""
        self._ahead.popleft()

    def rewind(self, settled: int) -> None:
        """Everything behind this position is read again."""
        self._ahead.clear()
        self._reading = None
        self._read_to = settled

    def _read_more(self) -> bool:
        """Whether there was more; it may be that all of it was read before."""
        segment = self._reading
        if segment is None or self._offset >= segment.committed:
            segment = next((one for one in self.segments if one.flushed_last > self._read_to), None)
            if segment is None:
                return False
            self._reading, self._offset, self._read_events = segment, records.HEAD_BYTES, 0
        found = segment.read(self._offset, _CHUNK)
        if not found:
            self._skip(segment)
        self._read_events += len(found)
        self._ahead.extend(record for record, _ in found if record.position > self._read_to)
        self._offset = found[-1][1]
        self._read_to = max(self._read_to, found[-1][0].position)
        return True

    def _skip(self, segment: Segment) -> NoReturn:
        lost = segment.flushed_events - self._read_events
        self._offset, self._read_to = segment.committed, segment.flushed_last
        self.waiting -= lost
        raise Damage(segment.path.name, lost)

    # -- giving up ---------------------------------------------------------------------------------------------------

    def settle(self, position: int, count: int) -> None:
        """So many of its events, all up to the position, need not be kept; files that held only such are deleted."""
        self.waiting -= count
        while len(self.segments) > 1 and self.segments[0].last_position <= position:
            self._remove(self.segments[0])

    def oldest_behind(self, position: int) -> Segment | None:
        """The oldest segment all of whose events follow the position."""
        return next((one for one in self.segments if one.events and one.first_position > position), None)

    def turn_over(self, segment: Segment) -> None:
        """Begins a new file if this is the newest: ordinals go on from the head of the newest. Raises as `flush`."""
        if segment is self.segments[-1]:
            successor = self._roll()
            try:
                successor.flush()
            except OSError:
                self.size -= successor.size
                self.segments.pop()
                raise

    def give_up(self, segment: Segment) -> None:
        """Deletes a segment with all it holds, after `turn_over`."""
        self.waiting -= segment.events
        self._ahead = deque(
            one for one in self._ahead if not segment.first_position <= one.position <= segment.last_position
        )
        self._remove(segment)

    def _remove(self, segment: Segment) -> None:
        if segment is self._reading:
            self._reading = None
        self.size -= segment.size
        self.segments.remove(segment)
        segment.remove()

    def close(self) -> None:
        """Closes all files."""
        for segment in self.segments:
            segment.close()

"""The spool's files as one log: events in, the same events out in the same order, bounded, and exact about its losses.

Everything here blocks and belongs to one thread; `spool.Spool` is the form for programs.
"""

import errno
import fcntl
import os
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from llm_incident_client.edge_agent import disk
from llm_incident_client.edge_agent.spool import records, state
from llm_incident_client.edge_agent.spool.lane import Damage, Lane
from llm_incident_client.edge_agent.spool.limits import Limits, Priority, SpoolBroken
from llm_incident_client.edge_agent.spool.loading import load_lanes
from llm_incident_client.edge_agent.spool.records import Record
from llm_incident_client.edge_agent.spool.segment import Segment

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SpoolInUse(Exception):
    """Another process has the folder open."""


class _Handed(NamedTuple):
    position: int
    lane: Lane


class SpoolLog:
    """A folder of lanes, one a priority; positions rise over all of them, so that they are read as one."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        """Opens or creates it. Raises SpoolInUse, OSError, and UnknownFile for what is none of ours."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limits = limits
        self._lock: int | None = _locked(folder)
        loaded = load_lanes(folder, limits, state.load(folder))
        self.torn_bytes = loaded.torn_bytes
        self.sent = loaded.sent
        """Events that may have been sent and are not settled."""
        self._lanes = loaded.lanes
        self.state = loaded.state
        self._next_position = 1 + max(self.state.handed, *(lane.last_position for lane in self._lanes.values()))
        self._handed: deque[_Handed] = deque()
        self._dirty = True
        self._save()

    # -- asking ------------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Accepted events that are neither acknowledged nor given up."""
        return sum(lane.waiting for lane in self._lanes.values())

    @property
    def accepted(self) -> int:
        """All events that were ever accepted."""
        return sum(lane.next_ordinal for lane in self._lanes.values())

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(lane.size for lane in self._lanes.values())

    # -- events in ---------------------------------------------------------------------------------------------------

    def append(self, items: Sequence[tuple[Priority, bytes]]) -> list[bool]:
        """Takes events; those answered True are on the disk when it returns, the others were refused and counted.

        Raises SpoolBroken, after which nothing more may be done with it.
        """
        taken: list[Lane | None] = [self._take(priority, payload) for priority, payload in items]
        lost = {lane.priority: self._flush(lane) for lane in self._lanes.values()}
        for place in range(len(taken) - 1, -1, -1):  # what failed to be written are the last of its lane
            lane = taken[place]
            if lane is not None and lost[lane.priority]:
                lost[lane.priority] -= 1
                taken[place] = None
        self.refuse(Counter(priority for (priority, _), lane in zip(items, taken, strict=True) if lane is None))
        return [lane is not None for lane in taken]

    def _take(self, priority: Priority, payload: bytes) -> Lane | None:
        if not self._make_room(priority, len(payload) + records.RECORD_BYTES):
            return None
        lane = self._lanes[priority]
        lane.add(self._next_position, payload)
        self._next_position += 1
        return lane

    def _flush(self, lane: Lane) -> int:
        """How many events of the lane could not be written."""
        try:
            lane.flush()
        except OSError as cause:
            self._only_full(cause)
            return lane.forget_waiting()
        return 0

    def refuse(self, counts: Mapping[Priority, int]) -> None:
        """Counts events that were not taken."""
        for priority, count in counts.items():
            self._change(refused=state.added(self.state.refused, priority.name, count))
        self._save()

    # -- room --------------------------------------------------------------------------------------------------------

    def _make_room(self, priority: Priority, size: int) -> bool:
        """Gives up the oldest of the lowest priority, never more than the newcomer's, until it fits."""
        if size + records.HEAD_BYTES > self._limits.segment_bytes:
            return False
        while self.waiting >= self._limits.max_events or self.size + size > self._limits.max_bytes:
            if not self._give_up(priority):
                return False
        return True

    def _give_up(self, priority: Priority) -> bool:
        for lane in self._lanes.values():
            if lane.priority > priority:
                break
            if (victim := lane.oldest_behind(self.state.handed)) is not None:
                return self._drop(lane, victim)
        return False

    def _drop(self, lane: Lane, victim: Segment) -> bool:
        """First the count, then the deed: a crash in between deletes the file at the next start."""
        try:
            lane.turn_over(victim)
        except OSError as cause:
            self._only_full(cause)
            return False
        before = self.state
        dropped = state.added(before.dropped, lane.priority.name, victim.events)
        self._change(dropped=dropped, dropped_segments=(*before.dropped_segments, victim.path.name))
        if not self._save():
            self.state = before
            return False
        lane.give_up(victim)
        disk.sync_folder(self._folder)  # it must not come back once nobody knows any more that it was dropped
        self._change(dropped_segments=before.dropped_segments)
        return True

    def _only_full(self, cause: OSError) -> None:
        if cause.errno not in _NO_SPACE:
            raise SpoolBroken(f"cannot write to {self._folder}: {cause}") from cause

    # -- events out --------------------------------------------------------------------------------------------------

    def read(self, most_events: int, most_bytes: int) -> list[Record]:
        """The next durable events, in the order in which they came; an empty list when there are none."""
        found: list[Record] = []
        size = 0
        while len(found) < most_events and size < most_bytes:
            lane = self._earliest()
            if lane is None or (record := lane.peek()) is None:
                break
            lane.take()
            found.append(record)
            self.sent += record.position > self.state.handed
            self._handed.append(_Handed(record.position, lane))
            size += len(record.payload)
        if found and found[-1].position > self.state.handed:
            self._change(handed=found[-1].position)
            self._save()
        return found

    def _earliest(self) -> Lane | None:
        best: Lane | None = None
        first = 0
        for lane in self._lanes.values():
            record = self._peek(lane)
            if record is not None and (best is None or record.position < first):
                best, first = lane, record.position
        return best

    def _peek(self, lane: Lane) -> Record | None:
        while True:
            try:
                return lane.peek()
            except Damage as damage:
                damaged = (*self.state.damaged_segments, damage.segment)
                self._change(lost=self.state.lost + damage.lost, damaged_segments=damaged)

    def settle(self, count: int, sequence: int, results: Mapping[str, int]) -> None:
        """So many of the events read first are acknowledged, the last of them under this sequence number."""
        counts: dict[Priority, int] = {}
        position = self.state.settled
        for _ in range(count):
            position, lane = self._handed.popleft()
            counts[lane.priority] = counts.get(lane.priority, 0) + 1
        self.sent -= count
        total = self.state.results
        for name, number in results.items():
            total = state.added(total, name, number)
        self._change(settled=position, sequence=sequence, results=total)
        self._save()
        for priority, lane in self._lanes.items():
            lane.settle(position, counts.get(priority, 0))

    def rewind(self) -> None:
        """What was read and not settled is read again."""
        self._handed.clear()
        for lane in self._lanes.values():
            lane.rewind(self.state.settled)

    def count_from(self, sequence: int | None) -> None:
        """The next event has the number after this one; None: the manager will say. Made durable before it returns.

        Without a number, events that were sent and not settled may arrive twice.
        """
        self._change(sequence=sequence)
        self._save()

    def told(self, given_up: int) -> None:
        """So many of the events that were given up were reported to somebody."""
        self._change(told=given_up)
        self._save()

    def close(self) -> None:
        """Closes all files; what was accepted stays. A second call does nothing."""
        for lane in self._lanes.values():
            lane.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _change(self, **changes: object) -> None:
        self.state = replace(self.state, **changes)  # type: ignore[arg-type]  # fields by name
        self._dirty = True

    def _save(self) -> bool:
        """Whether it is durable. On a full disk it may not be: then more is sent again, under the same numbers."""
        if self._dirty:
            try:
                state.save(self._folder, self.state)
            except OSError as cause:
                self._only_full(cause)
                return False
            self._dirty = False
        return True


def _locked(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as cause:
        os.close(descriptor)
        raise SpoolInUse(f"{folder} is in use by another process: give each agent a folder of its own") from cause
    return descriptor

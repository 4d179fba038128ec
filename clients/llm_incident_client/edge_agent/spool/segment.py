"""One file of a lane: records are added at its end in memory, written and made durable together, and read from disk."""

import os
from pathlib import Path
from typing import NamedTuple

from llm_incident_client.edge_agent import disk
from llm_incident_client.edge_agent.spool import records
from llm_incident_client.edge_agent.spool.limits import SpoolBroken
from llm_incident_client.edge_agent.spool.records import Head, Record


class Loaded(NamedTuple):
    """Records that are not settled, those of them that may have been sent, and bytes that were cut off."""

    waiting: int
    sent: int
    torn: int


class Segment:
    """Counts cover what is on disk and what waits to be written; `committed` is how far the disk is known to hold."""

    def __init__(self, path: Path, head: Head) -> None:
        """A new segment; its file appears with the first `flush`."""
        self.path = path
        self.head = head
        self.events = 0
        self.first_position = 0
        self.last_position = 0
        self.committed = 0
        self.flushed_events = 0
        self.flushed_last = 0
        self.was_cut = False
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._descriptor: int | None = None

    @property
    def size(self) -> int:
        """Bytes, with those not written yet."""
        return (self.committed or records.HEAD_BYTES) + self._waiting_bytes

    @property
    def next_ordinal(self) -> int:
        """The ordinal that follows its last record."""
        return self.head.first_ordinal + self.events

    def add(self, position: int, payload: bytes) -> int:
        """Takes a record; `flush` writes it. Returns how many bytes it takes."""
        encoded = records.encode(position, payload)
        self._waiting.append(encoded)
        self._waiting_bytes += len(encoded)
        self._count(position)
        return len(encoded)

    def _count(self, position: int) -> None:
        self.events += 1
        self.first_position = self.first_position or position
        self.last_position = position

    def flush(self) -> None:
        """Writes what waits and makes it durable.

        Raises OSError when it could not be written, which leaves the file as it was, and SpoolBroken when nobody
        knows what is on the disk.
        """
        if self._descriptor is None:
            self._create()
        assert self._descriptor is not None
        try:
            disk.write_at(self._descriptor, b"".join(self._waiting), self.committed)
        except OSError:
            self._cut_back()
            raise
        self._sync()
        self.committed += self._waiting_bytes
        self.flushed_events, self.flushed_last = self.events, self.last_position
        self._waiting, self._waiting_bytes = [], 0

    def _create(self) -> None:
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            disk.write_at(self._descriptor, records.encode_head(self.head), 0)
        except OSError:
            self.close()
            self.path.unlink()
            raise
        self._sync()
        _or_broken(self.path.parent)
        self.committed = records.HEAD_BYTES

    def _sync(self) -> None:
        assert self._descriptor is not None
        try:
            os.fdatasync(self._descriptor)
        except OSError as cause:  # the kernel may have dropped the pages: writing on would lose them silently
            raise SpoolBroken(f"fsync of {self.path} failed: {cause}") from cause

    def _cut_back(self) -> None:
        """Whatever part of a failed write reached the file must not be taken for records at the next start."""
        assert self._descriptor is not None
        try:
            os.ftruncate(self._descriptor, self.committed)
        except OSError as cause:
            raise SpoolBroken(f"{self.path} cannot be cut to {self.committed} bytes: {cause}") from cause

    def forget_waiting(self) -> int:
        """Gives up what could not be written; how many records that were."""
        forgotten = self.events - self.flushed_events
        self.events, self.last_position = self.flushed_events, self.flushed_last
        self.first_position = self.first_position if self.events else 0
        self._waiting, self._waiting_bytes = [], 0
        return forgotten

    def load(self, data: bytes, settled: int, handed: int) -> "Loaded":
        """Takes over a file that was there before, and cuts off what is no whole record behind the last one."""
        end, waiting, sent = records.HEAD_BYTES, 0, 0
        for found in records.scan(data, end):
            end = found.end
            waiting += found.position > settled
            sent += settled < found.position <= handed
            self._count(found.position)
        self._descriptor = os.open(self.path, os.O_RDWR)
        torn = len(data) - end
        self.was_cut = torn > 0
        self.committed = end
        self.flushed_events, self.flushed_last = self.events, self.last_position
        if torn:
            self._cut_back()
            self._sync()
        return Loaded(waiting, sent, torn)

    def read(self, offset: int, size: int) -> list[tuple[Record, int]]:
        """Committed records from `offset` on, about `size` bytes and at least one, each with where the next begins.

        Nothing although something is committed there means that it is damaged.
        """
        assert self._descriptor is not None
        size = min(size, self.committed - offset)
        data = os.pread(self._descriptor, size, offset)
        if (least := records.needed(data)) > size:
            data = os.pread(self._descriptor, min(least, self.committed - offset), offset)
        return [
            (Record(found.position, data[found.begin : found.end]), offset + found.end) for found in records.scan(data)
        ]

    def close(self) -> None:
        """Closes the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def remove(self) -> None:
        """Closes and deletes the file."""
        self.close()
        self.path.unlink(missing_ok=True)


def _or_broken(folder: Path) -> None:
    try:
        disk.sync_folder(folder)
    except OSError as cause:
        raise SpoolBroken(f"fsync of {folder} failed: {cause}") from cause

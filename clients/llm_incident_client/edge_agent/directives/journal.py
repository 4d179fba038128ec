"""The journal of directives: every state is on the disk before what it announces is done.

A line is a whole record with its checksum; the last line of a directive counts. Blocking, for one thread at a time.
"""

import base64
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llm_incident_client import pb_agents as msg
from llm_incident_client.edge_agent import disk
from llm_incident_client.edge_agent.clock import Moment
from llm_incident_client.edge_agent.directives.record import FINAL, Record, Said, State

_REWRITE_BYTES = 1024 * 1024
_KEEP_SECONDS = 7 * 86_400.0
_KEEP_RECORDS = 10_000


class Journal:
    """The directives that an agent knows, by id, oldest first."""

    def __init__(self, path: Path, now: Moment) -> None:
        """Opens or creates it, and forgets what is long over. Raises OSError."""
        self._path = path
        self.records: dict[str, Record] = {}
        self.damaged = 0
        """Lines before the last that cannot be read: what they said about a directive is not known."""
        self._load()
        self._forget(now)
        self._descriptor = self._rewrite()

    def _load(self) -> None:
        lines = self._path.read_bytes().split(b"\n") if self._path.exists() else []
        unread = -1
        for place, line in enumerate(lines):
            record = _decode(line) if line else None
            if record is not None:
                self.records.pop(record.directive.id, None)
                self.records[record.directive.id] = record
            elif line:
                self.damaged += 1
                unread = place
        if unread >= 0 and unread == len(lines) - 1:
            self.damaged -= 1  # the last line, without its end: a crash cut it off before anything was done

    def _forget(self, now: Moment) -> None:
        over = [one for one, record in self.records.items() if record.state in FINAL and not record.unsaid]
        old = {one for one in over if now.wall - self.records[one].received.wall > _KEEP_SECONDS}
        for one in old | set(over[:-_KEEP_RECORDS]):
            del self.records[one]

    def _rewrite(self) -> int:
        disk.replace(self._path, b"".join(_encode(record) for record in self.records.values()))
        self._size = self._path.stat().st_size
        return os.open(self._path, os.O_WRONLY)

    def write(self, record: Record) -> None:
        """Makes it durable, then known. Raises OSError, after which nothing may be done that it announces."""
        line = _encode(record)
        disk.write_at(self._descriptor, line, self._size)
        os.fdatasync(self._descriptor)
        self._size += len(line)
        self.remember(record)
        if self._size > max(_REWRITE_BYTES, 4_000 * len(self.records)):
            os.close(self._descriptor)
            self._descriptor = self._rewrite()

    def remember(self, record: Record) -> None:
        """Makes it known only: for what is done although it cannot be written."""
        self.records[record.directive.id] = record

    def in_state(self, state: State) -> Iterator[Record]:
        """The records in a state."""
        return (record for record in list(self.records.values()) if record.state is state)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)


def _encode(record: Record) -> bytes:
    stored = asdict(record) | {"directive": base64.b64encode(record.directive.SerializeToString()).decode()}
    text = json.dumps(stored).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _decode(line: bytes) -> Record | None:
    checksum, _, text = line.partition(b" ")
    if checksum != b"%08x" % zlib.crc32(text):
        return None
    stored: Mapping[str, Any] = json.loads(text)
    return Record(
        directive=msg.Directive.FromString(base64.b64decode(stored["directive"])),
        state=State(stored["state"]),
        received=Moment(**stored["received"]),
        reason=stored["reason"],
        begin_before=stored["begin_before"],
        applied=Moment(**stored["applied"]) if stored["applied"] else None,
        undo=stored["undo"],
        unsaid=tuple(Said(State(said["state"]), said["reason"], said["wall"]) for said in stored["unsaid"]),
    )

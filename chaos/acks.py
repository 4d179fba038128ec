"""The client's own record of what was acknowledged: on disk before it counts, so that a proof rests on no memory."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

GATHER_SECONDS = 0.02
"""Acknowledgements of this time share one flush."""


class Ack(NamedTuple):
    """An acknowledged event: the way it came, what the client calls it, and the id it was given."""

    way: str
    key: str
    event_id: str


@dataclass(slots=True)
class AckLog:
    """Append-only. `counted` are those whose line was flushed to the disk."""

    file: Path
    counted: int = 0
    _pending: list[Ack] = field(default_factory=list)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """An empty log is a file as well."""
        self.file.touch()

    def note(self, *acks: Ack) -> None:
        """Takes acknowledgements; they count once they are flushed."""
        self._pending.extend(acks)

    def read(self) -> Sequence[Ack]:
        """What stands in the file."""
        return [Ack(*json.loads(line)) for line in self.file.read_text("utf-8").splitlines()]

    async def flush(self) -> None:
        """Writes and flushes what was noted so far; returns when all of it is on the disk, whoever flushes it."""
        async with self._one:
            pending, self._pending = self._pending, []
            if pending:
                await asyncio.to_thread(self._append, pending)
                self.counted += len(pending)

    async def reaches(self, number: int, seconds: float = 30.0) -> None:
        """Returns once so many count. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while self.counted < number:
                await asyncio.sleep(0.002)

    def _append(self, acks: Sequence[Ack]) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(ack)}\n" for ack in acks)
            file.flush()
            os.fsync(file.fileno())


@asynccontextmanager
async def ack_log(file: Path) -> AsyncIterator[AckLog]:
    """A log that flushes itself while the block runs, and once more at its end."""
    log = AckLog(file)

    async def flushing() -> None:
        while True:
            await asyncio.sleep(GATHER_SECONDS)
            await log.flush()

    task = asyncio.create_task(flushing())
    try:
        yield log
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await log.flush()

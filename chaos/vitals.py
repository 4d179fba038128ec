"""What a server process holds and how quickly it answers while something is done to it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.server import RunningServer

PAGE = 4_096
MIB = 1024 * 1024


def resident(server: RunningServer) -> float:
    """Its memory in MiB."""
    return int(_proc(server, "statm").read_text("ascii").split()[1]) * PAGE / MIB


def descriptors(server: RunningServer) -> int:
    """Its open files and sockets."""
    return len(list(_proc(server, "fd").iterdir()))


def _proc(server: RunningServer, name: str) -> Path:
    assert server.process is not None
    return Path(f"/proc/{server.process.pid}/{name}")


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part of them does not exceed; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


@dataclass(slots=True)
class Watched:
    """What was seen: the memory's highest in MiB, and how long each answer to a trivial question took, in seconds."""

    before: float
    peak: float
    answers: list[float] = field(default_factory=list)

    @property
    def grown(self) -> float:
        """MiB more than before."""
        return self.peak - self.before

    def slowest(self, part: float = 0.99) -> float:
        """Milliseconds that this part of the answers did not exceed."""
        return 1_000 * percentile(self.answers, part)


@asynccontextmanager
async def watched(server: RunningServer, every: float = 0.02) -> AsyncIterator[Watched]:
    """Looks at a server while the block runs."""
    start = resident(server)
    seen = Watched(start, start)
    task = asyncio.create_task(_look(server, seen, every))
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        seen.peak = max(seen.peak, resident(server))


async def _look(server: RunningServer, seen: Watched, every: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
    try:
        while True:
            started = time.monotonic()
            writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            seen.answers.append(time.monotonic() - started)
            seen.peak = max(seen.peak, resident(server))
            await asyncio.sleep(every)
    finally:
        writer.close()

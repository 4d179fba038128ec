"""What a server process holds and how quickly it answers while something is done to it."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.server import RunningServer

PAGE = 4_096
MIB = 1024 * 1024
QUESTION = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


def resident(server: RunningServer) -> float:
    """Its memory in MiB."""
    return int(_proc(server, "statm").read_text("ascii").split()[1]) * PAGE / MIB


def worked(server: RunningServer) -> float:
    """Seconds of processor time it has had."""
    assert server.process is not None
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


def waited(server: RunningServer) -> float:
    """Seconds that its main thread could have worked and others had the processors."""
    return int(_proc(server, "schedstat").read_text("ascii").split()[1]) / 1e9


def descriptors(server: RunningServer) -> int:
    """Its open files and sockets."""
    return len(list(_proc(server, "fd").iterdir()))


def _proc(server: RunningServer, name: str) -> Path:
    """What the kernel tells of it. Raises RuntimeError when it has ended, with what it said last."""
    assert server.process is not None
    found = Path(f"/proc/{server.process.pid}/{name}")
    if not found.exists():
        raise RuntimeError(f"the server has ended ({server.process.returncode}): {server.log[-1_000:]}")
    return found


def percentile(values: Sequence[float], part: float) -> float:
    """The value that this part of them does not exceed; 0 of none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


@dataclass(slots=True)
class Watched:
    """What was seen: the memory's highest in MiB, and how long each answer to a trivial question took, in seconds; of
    that, `working` leaves out what the server waited for a processor that somebody else had."""

    before: float
    peak: float
    answers: list[float] = field(default_factory=list)
    working: list[float] = field(default_factory=list)

    @property
    def grown(self) -> float:
        """MiB more than before."""
        return self.peak - self.before

    def slowest(self, part: float = 0.99) -> float:
        """Milliseconds that this part of the answers did not exceed."""
        return 1_000 * percentile(self.answers, part)


@asynccontextmanager
async def watched(server: RunningServer, every: float = 0.02) -> AsyncIterator[Watched]:
    """Looks at a server while the block runs, from a thread, so that the load of this process does not delay it."""
    start = resident(server)
    seen, stop = Watched(start, start), threading.Event()
    looking = asyncio.create_task(asyncio.to_thread(_look, server, seen, stop, every))
    try:
        yield seen
    finally:
        stop.set()
        await looking


def _over(server: RunningServer, plain: socket.socket) -> socket.socket:
    """The connection as the server speaks there."""
    return plain if server.tls is None else server.tls.wrap_socket(plain, server_hostname="localhost")


def _look(server: RunningServer, seen: Watched, stop: threading.Event, every: float) -> None:
    with (
        socket.create_connection(("127.0.0.1", server.http_port), timeout=10) as plain,
        _over(server, plain) as connection,
    ):
        while not stop.wait(every):
            started, before = time.monotonic(), waited(server)
            connection.sendall(QUESTION)
            if not connection.recv(65_536):
                return
            seen.answers.append(time.monotonic() - started)
            seen.working.append(max(0.0, seen.answers[-1] - (waited(server) - before)))
            seen.peak = max(seen.peak, resident(server))

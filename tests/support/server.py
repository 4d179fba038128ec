"""The real server as a process of its own: on free ports, with its own data, killed and started again at will."""

import asyncio
import os
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import releases
from tools.ports import free_port

__all__ = ["RunningServer", "free_port", "is_listening", "running_server", "status_of"]

START_SECONDS = 30.0
_INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR")


@dataclass
class RunningServer:
    """A server and what it takes to start it again: the same ports, the same data directory."""

    folder: Path
    env: Mapping[str, str]
    grpc_port: int
    http_port: int
    arguments: Sequence[str] = ()
    process: asyncio.subprocess.Process | None = field(default=None, repr=False)
    program: str = "llm_incident_manager"
    """The module that is run: the product, or one that breaks something of it first."""
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    """How to reach its HTTP port, where that speaks TLS."""

    @property
    def grpc(self) -> str:
        """Address for clients."""
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def http(self) -> str:
        """Base URL."""
        return f"http{'' if self.tls is None else 's'}://127.0.0.1:{self.http_port}"

    @property
    def data(self) -> Path:
        """Directory of the SQLite database."""
        return self.folder / "data"

    @property
    def log(self) -> str:
        """All it has written so far."""
        path = self.folder / "server.log"
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    async def start(self) -> None:
        """Starts it and waits until it is ready. Raises RuntimeError with its log if it does not become so."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self.program,
                "serve",
                *self.arguments,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment(),
            )
        async with asyncio.timeout(START_SECONDS):
            while await status_of(self.http_port, "/health/ready", self.tls) != 200:
                if self.process.returncode is not None:
                    raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log[-4000:]}")
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """Ends it as a power cut would: no signal handler runs."""
        await self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Lets it stand still, as a machine does that has no time for it."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets it go on, without knowing that it stood still."""
        self._signal(signal.SIGCONT)

    async def terminate(self) -> int:
        """Asks it to stop and returns its exit code."""
        return await self._end(signal.SIGTERM)

    async def restart(self) -> None:
        """Starts it again where it was; stops it first if it still runs."""
        if self.process is not None and self.process.returncode is None:
            await self.terminate()
        await self.start()

    async def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self._signal(number)
        async with asyncio.timeout(START_SECONDS):
            return await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    def _environment(self) -> dict[str, str]:
        own = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        places = {
            "API_PORT": str(self.http_port),
            "GRPC_PORT": str(self.grpc_port),
            "DATABASE_URL": f"sqlite:///{self.data}",
        }
        return {**own, **releases.server_environment(), **places, **self.env}


@asynccontextmanager
async def running_server(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    config: str | None = None,
    folder: Path | None = None,
    program: str = RunningServer.program,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[RunningServer]:
    """A started server, ended with the block. `arguments` are those of `serve`; `config` is the text of its
    config.yaml; `folder` keeps its data; `tls` is how to reach it where it speaks TLS."""
    with tempfile.TemporaryDirectory(prefix="llm-im-", ignore_cleanup_errors=True) as temporary:
        place = folder or Path(temporary)
        if config is not None:
            (place / "config.yaml").write_text(config, "utf-8")
        server = RunningServer(place, env or {}, free_port(), free_port(), arguments, program=program, tls=tls)
        try:
            await server.start()
            yield server
        finally:
            if server.process is not None and server.process.returncode is None:
                await server.kill()


def is_listening(port: int) -> bool:
    """Whether somebody takes connections at a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def status_of(port: int, path: str, tls: ssl.SSLContext | None = None) -> int:
    """The HTTP status of a GET; 0 while nobody answers."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    except OSError:
        return 0
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        return int(line.split()[1]) if line.startswith(b"HTTP/") else 0
    except OSError:
        return 0
    finally:
        writer.close()

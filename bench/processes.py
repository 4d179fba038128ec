"""Processes of a benchmark: starts them, reads what they use of the machine, and ends these and no others."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from bench.recorder import Spec

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0
_INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR")


class Child:
    """A process that was started here."""

    def __init__(
        self, *arguments: str, folder: Path, env: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
    ) -> None:
        """Runs Python with these arguments in the folder; what it writes to standard error goes to a file there."""
        own = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        path = os.pathsep.join(filter(None, [str(ROOT), own.get("PYTHONPATH")]))
        self._errors = folder / f"{arguments[1]}.log"
        self.started = time.perf_counter()
        with self._errors.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=folder,
                env={**own, "PYTHONPATH": path, **(env or {})},
                stdin=stdin,
                stdout=subprocess.PIPE if stdin == subprocess.PIPE else subprocess.DEVNULL,
                stderr=log,
                text=True,
            )
        self._seen = psutil.Process(self.process.pid)

    def cpu_seconds(self) -> float:
        """User and system time so far, with that of its workers."""
        return sum(float(used.user + used.system) for used in (each.cpu_times() for each in self._all()))

    def peak_rss(self) -> int:
        """The most memory it and its workers have held, in bytes; where nobody keeps that, what they hold now."""
        return sum(_peak_rss(each) for each in self._all())

    def _all(self) -> list[psutil.Process]:
        return [self._seen, *self._seen.children()]

    def wait_until_listening(self, port: int) -> None:
        """Returns when somebody takes connections on the port. Raises RuntimeError when the process ends instead."""
        self._poll(lambda: _listens(port))

    def wait_until_ready(self, port: int, context: ssl.SSLContext | None = None) -> None:
        """Returns when the server calls itself ready. Raises RuntimeError when the process ends instead."""
        self.wait_until(lambda: _status(port, "/health/ready", context) == http.client.OK)

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Returns when it holds. Raises RuntimeError when the process ends instead."""
        self._poll(holds)

    def fail(self, what: str) -> RuntimeError:
        """An error with the end of what it wrote."""
        return RuntimeError(f"{what}:\n{self._errors.read_text('utf-8', errors='replace')[-4000:]}")

    def stop(self) -> None:
        """Asks it to end and waits; ends it after a while."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def _poll(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not holds():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise self.fail(f"did not start ({self.process.poll()})")
            time.sleep(0.02)


class Load(Child):
    """The load process."""

    def __init__(self, spec: Spec, folder: Path) -> None:
        """Starts preparing; `say` tells when it is done."""
        super().__init__("-m", "bench.load", folder=folder, stdin=subprocess.PIPE)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asdict(spec)) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """The next thing it says. Raises RuntimeError when it ended instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise self.fail("the load process failed")
        said: dict[str, Any] = json.loads(line)
        return said


def _peak_rss(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _status(port: int, path: str, context: ssl.SSLContext | None) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    if context is not None:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()

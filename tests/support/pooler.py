"""A pooler in transaction mode between clients and one PostgreSQL: each transaction gets another server connection.

It speaks the wire protocol as PgBouncer does: it signs clients in by itself, refuses startup parameters that it could
not carry from server to server, lends a server connection from the first message of a transaction to the ReadyForQuery
that ends it, and translates cancel requests. Nothing of a session survives, and on purpose no two transactions in a row
of one client meet the same session while there is another. PGBOUNCER names a real program to be used instead.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.support.server import free_port, is_listening

STARTUP, CANCEL, TLS, GSS = 196_608, 80_877_102, 80_877_103, 80_877_104
KEPT = (
    "user",
    "database",
    "client_encoding",
    "application_name",
    "datestyle",
    "timezone",
    "standard_conforming_strings",
)
ASKING, ENDING, COPYING = b"PBEDCH", b"QSF", b"dcf"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Pooler(Protocol):
    """Where clients of a pooler connect."""

    port: int

    def stop(self) -> None:
        """Ends it."""
        ...


def start_pooler(server_port: int) -> Pooler:
    """A pooler before the PostgreSQL at that port, which must admit everybody."""
    program = os.environ.get("PGBOUNCER")
    return PgBouncer(program, server_port) if program else TransactionPooler(server_port)


class PgBouncer:
    """The real program."""

    def __init__(self, program: str, server_port: int) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        self.port = free_port()
        (self._folder / "users").write_text('"postgres" ""\n')
        (self._folder / "ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server_port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {self.port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {self._folder}/users\n"
            "pool_mode = transaction\ndefault_pool_size = 4\nserver_round_robin = 1\nmax_client_conn = 500\n"
        )
        for path in (self._folder, *self._folder.iterdir()):
            shutil.chown(path, "nobody")
        user = "nobody" if os.geteuid() == 0 else None
        self._process = subprocess.Popen([program, "-q", str(self._folder / "ini")], user=user)
        deadline = time.monotonic() + 10
        while not is_listening(self.port):
            assert time.monotonic() < deadline, "PgBouncer did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(10)
        shutil.rmtree(self._folder)


@dataclass
class _Link:
    """A connection to the server and what it said at its start."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    key: bytes = b""
    parameters: list[bytes] = field(default_factory=list)


class _Pool:
    """The connections of one user to one database, lent in turn."""

    def __init__(self, server_port: int, startup: bytes, size: int) -> None:
        self._server_port, self._startup, self._size = server_port, startup, size
        self._idle: deque[_Link] = deque()
        self._all: list[_Link] = []
        self._made = 0
        self._changed = asyncio.Condition()

    async def take(self) -> _Link:
        async with self._changed:
            await self._changed.wait_for(lambda: self._idle or self._made < self._size)
            if self._made >= self._size:
                return self._idle.popleft()
            self._made += 1
        try:
            return await self._connect()
        except BaseException:
            await self.lose()
            raise

    async def give(self, link: _Link) -> None:
        async with self._changed:
            self._idle.append(link)
            self._changed.notify()

    def close(self) -> None:
        """Ends all connections."""
        for link in self._all:
            link.writer.close()

    async def lose(self, link: _Link | None = None) -> None:
        """A connection that nobody can use any more."""
        if link is not None:
            link.writer.close()
        async with self._changed:
            self._made -= 1
            self._changed.notify()

    async def _connect(self) -> _Link:
        link = _Link(*await asyncio.open_connection("127.0.0.1", self._server_port))
        self._all.append(link)
        link.writer.write(struct.pack("!ii", len(self._startup) + 8, STARTUP) + self._startup)
        while True:
            kind, message = await read_message(link.reader)
            match kind:
                case b"E":
                    raise Refused(message)
                case b"R" if message[5:9] != bytes(4):
                    raise Refused(error("08000", "the pooler knows no passwords"))
                case b"S":
                    link.parameters.append(message)
                case b"K":
                    link.key = message[5:]
                case b"Z":
                    return link


class Refused(Exception):
    """The message for the client."""


class _Client:
    """One client and, within a transaction, the server connection that is lent to it."""

    def __init__(self, stream: Stream, pool: _Pool) -> None:
        self._reader, self._writer = stream
        self._pool = pool
        self._answers: asyncio.Task[None] | None = None
        self._due = 0
        self._asking = False
        self.link: _Link | None = None
        self.key = secrets.token_bytes(8)

    async def greet(self) -> None:
        link = await self._pool.take()
        await self._pool.give(link)
        hello = [packed(b"R", bytes(4)), *link.parameters, packed(b"K", self.key), packed(b"Z", b"I")]
        self._writer.write(b"".join(hello))

    async def serve(self) -> None:
        try:
            while (message := await read_message(self._reader))[0] != b"X":
                await self._pass_on(*message)
        finally:
            if self._answers is not None:
                self._answers.cancel()
            if self.link is not None:  # it left within a transaction, which ends with the connection
                await self._pool.lose(self.link)

    async def _pass_on(self, kind: bytes, message: bytes) -> None:
        if self.link is None:
            self.link = await self._pool.take()
            self._answers = asyncio.create_task(self._answer(self.link))
        if kind in ENDING:
            self._due += 1
        if kind not in COPYING:
            self._asking = kind in ASKING
        self.link.writer.write(message)
        await self.link.writer.drain()

    async def _answer(self, link: _Link) -> None:
        try:
            while True:
                kind, message = await read_message(link.reader)
                if kind == b"Z":
                    self._due -= 1
                    if message[5:] == b"I" and self._due == 0 and not self._asking:
                        self.link = None
                        await self._pool.give(link)
                        self._writer.write(message)
                        return
                self._writer.write(message)
                await self._writer.drain()
        except (OSError, EOFError):
            self._writer.close()


class TransactionPooler:
    """The stand-in, in a thread with a loop of its own."""

    def __init__(self, server_port: int, size: int = 4) -> None:
        self._server_port, self._size = server_port, size
        self._pools: dict[bytes, _Pool] = {}
        self._clients: dict[bytes, _Client] = {}
        self.port = 0
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="pooler")
        self._thread.start()
        assert self._started.wait(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stopping.wait()
        server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        for pool in self._pools.values():
            pool.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            try:
                await self._sign_in(reader, writer)
            except Refused as refused:
                writer.write(refused.args[0])
                await writer.drain()
            finally:
                writer.close()

    async def _sign_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            length, code = struct.unpack("!ii", await reader.readexactly(8))
            rest = await reader.readexactly(length - 8)
            if code not in (TLS, GSS):
                break
            writer.write(b"N")
        if code == CANCEL:
            return await self._cancel(rest)
        names = [name.decode().lower() for name in rest.split(b"\0")[:-2:2]]
        if unknown := [name for name in names if name not in KEPT]:
            raise Refused(error("08P01", f"unsupported startup parameter: {unknown[0]}"))
        pool = self._pools.setdefault(rest, _Pool(self._server_port, rest, self._size))
        client = _Client((reader, writer), pool)
        self._clients[client.key] = client
        try:
            await client.greet()
            await client.serve()
        finally:
            del self._clients[client.key]

    async def _cancel(self, key: bytes) -> None:
        client = self._clients.get(key)
        if client is not None and client.link is not None:
            _, writer = await asyncio.open_connection("127.0.0.1", self._server_port)
            writer.write(struct.pack("!ii", 8 + len(client.link.key), CANCEL) + client.link.key)
            await writer.drain()
            writer.close()


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """A message's kind, and the whole of it."""
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!i", head[1:])
    return head[:1], head + await reader.readexactly(length - 4)


def packed(kind: bytes, body: bytes) -> bytes:
    """A message."""
    return kind + struct.pack("!i", len(body) + 4) + body


def error(code: str, text: str) -> bytes:
    """The message that ends a sign-in."""
    return packed(b"E", f"SFATAL\0VFATAL\0C{code}\0M{text}\0\0".encode())

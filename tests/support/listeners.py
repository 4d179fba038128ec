"""Servers on loopback that do with each connection whatever a test wants, and count who came."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiohttp.abc import AbstractResolver, ResolveResult

from tools.ports import free_port

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Listener:
    """Where it listens, and how many connections it has taken."""

    host: str
    port: int
    connections: int = 0
    busy: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Of its root, without TLS."""
        return f"http://{self.host}:{self.port}/"


@asynccontextmanager
async def listening(
    talk: Talk, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Listener]:
    """A listener that ends with the block, and with it every conversation."""
    listener = Listener(host, port or free_port())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        listener.busy.add(task)
        listener.connections += 1
        try:
            with suppress(OSError, EOFError):
                await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, listener.port, ssl=tls)
    async with server:
        yield listener
        server.close()
        for task in listener.busy:
            task.cancel()
        await asyncio.gather(*listener.busy, return_exceptions=True)


def says(answer: bytes, *, closes: bool = True) -> Talk:
    """Answers each request so."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(answer)
            await writer.drain()
            if closes:
                return

    return talk


def http(status: str = "200 OK", body: bytes = b"", *headers: str) -> bytes:
    """An answer of HTTP after which the connection is closed."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing."""
    await reader.read()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with a body of 10 GB, as far as it is read."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with a body that comes a byte at a time."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)


class Names(AbstractResolver):
    """A name server of the test: each question gets the next answer, the last one again and again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """The addresses of the next answer."""
        self.asked.append(host)
        addresses = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if not addresses:
            raise OSError(f"nobody knows {host}")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=_family(address), proto=0, flags=0)
            for address in addresses
        ]

    async def close(self) -> None:
        """Has nothing to give back."""


class NamesOf(AbstractResolver):
    """A name server that knows what to say of each host."""

    def __init__(self, make: Callable[[str], Names]) -> None:
        self._make = make
        self._known: dict[str, Names] = {}

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """The next answer about that host."""
        if host not in self._known:
            self._known[host] = self._make(host)
        return await self._known[host].resolve(host, port, family)

    async def close(self) -> None:
        """Has nothing to give back."""


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET

"""A TCP proxy that does what networks do: it cuts a connection at some byte, resets it, delays it, or swallows it.

Beside the fate of each connection there is weather, which all of them share and which may change at any time: a
partition holds what is sent, one way or both, and delivers it when it ends, as TCP does; loss shows as late bytes.
"""

import asyncio
import contextlib
import random
import socket
import ssl
import struct
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one connection: cut after so many bytes up or down (None: never), by reset or by close."""

    up: int | None = None
    down: int | None = None
    reset: bool = True
    delay: float = 0.0
    black_hole_after: int | None = None


LEFT_ALONE = Fate()


@dataclass(frozen=True, slots=True)
class Weather:
    """How bytes fare now. `held_up` and `held_down` keep what clients and what the server send; `delay` in seconds;
    `loss` is the share of pieces that come `RESENT` seconds late; `slices` cuts all into so many bytes, 0 into none."""

    held_up: bool = False
    held_down: bool = False
    delay: float = 0.0
    loss: float = 0.0
    slices: int = 0


FAIR = Weather()
PARTITION = Weather(held_up=True, held_down=True)
RESENT = 0.2
_LOOK = 0.01


class Proxy:
    """Stands between clients and one server. `fate` is asked once per connection; `cuts` counts those carried out."""

    def __init__(
        self,
        host: str,
        port: int,
        fate: Callable[[], Fate] = lambda: LEFT_ALONE,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """With `tls` clients speak TLS to the proxy, and the proxy plainly to the server."""
        self._tls = tls
        self.upstream = (host, port)
        self._fate = fate
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.weather = FAIR
        self.chance = random.Random(0)
        self.connections = 0
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.host, self.port = self._server.sockets[0].getsockname()[:2]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        if self._links:
            await asyncio.wait(self._links, timeout=5)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def cut(self, *, reset: bool = True) -> None:
        """Cuts every connection now."""
        for writer in list(self._writers):
            _end(writer, reset)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        self.connections += 1
        self._writers.add(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection(*self.upstream)
        except OSError:
            _end(writer, reset=True)  # as if the server itself had refused
        else:
            self._writers.add(up_writer)
            await self._link((reader, writer), (up_reader, up_writer))
            self._writers.discard(up_writer)
        finally:
            self._writers.discard(writer)
            self._links.discard(task)

    async def _link(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        fate = self._fate()
        up = asyncio.create_task(self._pump(client[0], server[1], fate.up, fate, up=True))
        down = asyncio.create_task(self._pump(server[0], client[1], fate.down, fate, up=False))
        done, _ = await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
        was_cut = any(task.result() for task in done)
        self.cuts += was_cut
        for writer in (client[1], server[1]):
            _end(writer, reset=fate.reset and was_cut)
        await asyncio.wait((up, down))

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None, fate: Fate, *, up: bool
    ) -> bool:
        """Carries bytes until either side ends, or up to the limit; then the answer is True."""
        carried = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if fate.delay:
                    await asyncio.sleep(fate.delay)
                if fate.black_hole_after is not None and carried >= fate.black_hole_after:
                    continue
                if limit is not None and carried + len(data) >= limit:
                    await self._carry(data[: limit - carried], writer, up=up)
                    return True
                await self._carry(data, writer, up=up)
                carried += len(data)
        return False

    def _is_held(self, *, up: bool) -> bool:
        return self.weather.held_up if up else self.weather.held_down

    async def _carry(self, data: bytes, writer: asyncio.StreamWriter, *, up: bool) -> None:
        """Brings bytes to the other side through the weather."""
        if self.weather is not FAIR:
            while self._is_held(up=up) and not writer.is_closing():  # noqa: ASYNC110 - weather turns unannounced
                await asyncio.sleep(_LOOK)
            lost = self.chance.random() < self.weather.loss
            await asyncio.sleep(self.weather.delay + (RESENT if lost else 0.0))
            if size := self.weather.slices:
                for start in range(0, len(data), size):
                    writer.write(data[start : start + size])
                    await writer.drain()
                return
        writer.write(data)
        await writer.drain()


def _end(writer: asyncio.StreamWriter, reset: bool) -> None:
    if reset:
        raw = writer.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        writer.close()

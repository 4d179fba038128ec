"""HTTP/2 frame by frame: connections to the gRPC port that say what no library would."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
EMPTY_MESSAGE = b"\0\0\0\0\0"
ENHANCE_YOUR_CALM, CANCEL = 11, 8
Headers = list[tuple[str, str]]


def call_headers(method: str, more: Headers | None = None, package: str = "incidentmanager.v1") -> bytes:
    """The header block of a call. Nothing in it depends on what was sent before: it may be sent again and again."""
    given: Headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", f"/{package}.{method}"),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        *(more or []),
    ]
    encoder = Encoder()
    encoder.header_table_size = 0
    return encoder.encode(given, huffman=False)


def headers(stream: int, block: bytes, *flags: str) -> bytes:
    """A HEADERS frame."""
    return HeadersFrame(stream, block, flags=flags).serialize()


def continuation(stream: int, block: bytes, *flags: str) -> bytes:
    """A CONTINUATION frame."""
    return ContinuationFrame(stream, block, flags=flags).serialize()


def reset(stream: int) -> bytes:
    """A RST_STREAM frame of somebody who does not want it any more."""
    return RstStreamFrame(stream, CANCEL).serialize()


def message(stream: int) -> bytes:
    """An empty message, which is all of the request."""
    return DataFrame(stream, EMPTY_MESSAGE, flags=("END_STREAM",)).serialize()


def ping(number: int) -> bytes:
    """A PING frame."""
    return PingFrame(0, number.to_bytes(8)).serialize()


def settings(values: dict[int, int] | None = None) -> bytes:
    """A SETTINGS frame."""
    return SettingsFrame(0, values or {}).serialize()


@dataclass(slots=True)
class Connection:
    """A connection to the gRPC port. `goaway` is the error code with which the server has ended it, if it has."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    opened: float = field(default_factory=time.monotonic)
    goaway: int | None = None
    ended_after: float | None = None
    frames: dict[str, int] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the server has said that it takes no more, or closed it."""
        return self.goaway is not None or self.ended_after is not None

    async def flood(self, make: Callable[[int], bytes], seconds: float, a_second: float = float("inf")) -> int:
        """Says what `make` gives for 0, 1, 2, … until the time is up or the connection ended; how many that were."""
        started, said = time.monotonic(), 0
        with suppress(ConnectionError, TimeoutError):
            while (passed := time.monotonic() - started) < seconds and not self.ended:
                if said > passed * a_second:
                    await asyncio.sleep(0.005)
                    continue
                self.writer.write(b"".join(make(number) for number in range(said, said + 100)))
                said += 100
                async with asyncio.timeout(max(0.01, seconds - passed)):
                    await self.writer.drain()
                await asyncio.sleep(0)
        return said

    async def read(self, *, answer_pings: bool = False) -> None:
        """Reads until the end, and notes what came."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                frame, length = Frame.parse_frame_header(memoryview(await self.reader.readexactly(9)))
                frame.parse_body(memoryview(await self.reader.readexactly(length)))
                self._note(frame, answer_pings=answer_pings)
        self.ended_after = time.monotonic() - self.opened

    def _note(self, frame: Frame, *, answer_pings: bool) -> None:
        name = type(frame).__name__.removesuffix("Frame")
        self.frames[name] = self.frames.get(name, 0) + 1
        if isinstance(frame, GoAwayFrame):
            self.goaway = frame.error_code
        elif isinstance(frame, PingFrame) and answer_pings and "ACK" not in frame.flags:
            self.writer.write(PingFrame(0, frame.opaque_data, flags=("ACK",)).serialize())


@asynccontextmanager
async def connected(
    port: int, values: dict[int, int] | None = None, *, reads: bool = True, answer_pings: bool = False
) -> AsyncIterator[Connection]:
    """A connection that has said hello. One that does not read leaves what the server says where it is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    connection = Connection(reader, writer)
    writer.write(PREFACE + settings(values))
    reading = asyncio.create_task(connection.read(answer_pings=answer_pings)) if reads else None
    try:
        yield connection
    finally:
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        writer.transport.abort()

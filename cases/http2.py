"""A web server that knows no gRPC: it answers every request over HTTP/2 with one status and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING = 0, 1, 4, 6
_ACK = 1
_END_STREAM, _END_HEADERS = 1, 4
_STATUS_INDEX, _CONTENT_TYPE_INDEX = 8, 31  # of HPACK's static table


@asynccontextmanager
async def answering(status: int) -> AsyncIterator[str]:
    """The address of such a server."""

    open_: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_[asyncio.current_task()] = writer
        try:
            await reader.readexactly(len(_PREFACE))
            writer.write(_frame(_SETTINGS, 0, 0, b""))
            while True:
                await _answer(reader, writer, status)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in open_.values():
            writer.close()
        await asyncio.gather(*(task for task in open_ if task is not None), return_exceptions=True)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: int) -> None:
    head = await reader.readexactly(9)
    length, kind, flags = int.from_bytes(head[:3]), head[3], head[4]
    payload = await reader.readexactly(length)
    stream = int.from_bytes(head[5:])
    if kind == _SETTINGS and not flags & _ACK:
        writer.write(_frame(_SETTINGS, _ACK, 0, b""))
    elif kind == _PING and not flags & _ACK:
        writer.write(_frame(_PING, _ACK, 0, payload))
    elif kind in {_HEADERS, _DATA} and flags & _END_STREAM:
        fields = _literal(_STATUS_INDEX, str(status)) + _literal(_CONTENT_TYPE_INDEX, "text/html")
        writer.write(_frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, fields))
    await writer.drain()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + payload


def _literal(index: int, value: str) -> bytes:
    """A header field never indexed, its name from the static table (RFC 7541, 6.2.2)."""
    prefix = bytes((index,)) if index < 15 else bytes((15, index - 15))
    return prefix + bytes((len(value),)) + value.encode("ascii")

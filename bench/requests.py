"""Keeps a number of HTTP/1.1 requests in flight, one on each kept-alive connection. Reads as little as it can."""

import asyncio
from collections.abc import Iterator
from itertools import islice
from time import perf_counter

from bench import events
from bench.recorder import Recorder, Spec, supply

_HEAD = (
    b"POST /api/v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
)
_LENGTH = b"content-length: "
_ACCEPTED = "202"


def prepare(spec: Spec) -> list[bytes]:
    """Whole requests."""
    source = events.as_json(events.Mix(spec.new_every, spec.keys))
    return [_HEAD % (len(body), body) for body in islice(source, spec.events)]


async def run(spec: Spec, requests: list[bytes], recorder: Recorder) -> None:
    """Sends until the time is up or the requests are."""
    host, port = spec.address.rsplit(":", 1)
    left, loop = supply(spec, requests), asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(left, recorder), host, int(port))
        for _ in range(spec.in_flight)
    ]
    await asyncio.gather(*(connection.finished for _, connection in opened))


class _Connection(asyncio.Protocol):
    """Sends a request, waits for its answer, sends the next."""

    def __init__(self, left: Iterator[bytes], recorder: Recorder) -> None:
        self.finished = asyncio.get_running_loop().create_future()
        self._left = left
        self._recorder = recorder
        self._got = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # what TCP gives
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0:
            return
        start = self._got.find(_LENGTH, 0, head) + len(_LENGTH)
        if len(self._got) < head + 4 + int(self._got[start : self._got.find(b"\r", start)]):
            return
        self._answered(self._got[9:12].decode())
        self._got = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self._recorder.errors[f"connection lost: {exc}"] += 1
            self.finished.set_result(None)

    def _answered(self, status: str) -> None:
        if status == _ACCEPTED:
            self._recorder.done(perf_counter(), [(self._sent, 1)])
        else:
            self._recorder.errors[status] += 1

    def _next(self) -> None:
        self._sent = perf_counter()
        request = None if self._sent >= self._recorder.ends else next(self._left, None)
        if request is None:
            self.finished.set_result(None)
            self._transport.close()
            return
        self._recorder.sent += 1
        self._transport.write(request)

"""uvicorn's WebSocket protocol with limits it lacks: how much it parses at once, how much it keeps for a client that
takes nothing, and how long a goodbye may take. Nothing is compressed: that costs memory, and short messages time."""

import asyncio
import logging
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from llm_incident_manager.transport.rest.protocol import SHOWN, shown

CONNECTION = "connection"
"""Where an application finds the protocol of its connection, to ask of it what ASGI has no words for."""
SLICE_BYTES = 8 * 1024
"""Parsed in one go: as thousands of tiny frames they take about 20 ms, in which nobody else is served."""

GREETING_SECONDS = 10.0
"""How long it may take until a connection is accepted or refused."""
_NO_GREETING = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s"
)
_NO_GREETING_TEXT = b'{"code":3,"message":"the upgrade is no request of a WebSocket: send it without a body"}'

_quiet = logging.getLogger("uvicorn.error.websocket")
_quiet.setLevel(logging.WARNING)  # it tells of every connection with its query, in which somebody may show a secret


class Upgraded(WebSocketsSansIOProtocol):
    """A WebSocket connection. `buffer_bytes` is a class attribute, since uvicorn makes the instances."""

    buffer_bytes = 64 * 1024

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Takes what uvicorn gives."""
        super().__init__(*arguments, **named)
        self.logger = _quiet
        self.heard_at = self.loop.time()
        self.says_goodbye = False
        self.lost = asyncio.Event()
        self._unread = bytearray()
        self._next: asyncio.Handle | None = None
        self._greeting: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None

    @property
    def is_held(self) -> bool:
        """Whether the client is not read, since what it sent before is not done yet."""
        return self.read_paused or bool(self._unread)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """What the client shows over TLS goes to the application, and the protocol itself."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=self.buffer_bytes)
        self._greeting = self.loop.call_later(GREETING_SECONDS, self._must_be_greeted)
        self.app_state = {**self.app_state, SHOWN: shown(self.transport), CONNECTION: self}

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        for timer in (self._next, self._greeting, self._end):
            if timer is not None:
                timer.cancel()
        self._unread.clear()
        super().connection_lost(exc)
        self.lost.set()

    def _must_be_greeted(self) -> None:
        if not self.handshake_complete:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Takes what came, and parses it as it can be dealt with."""
        self.heard_at = self.loop.time()
        self._unread += data
        self._parse()

    def _parse(self) -> None:
        """A slice now, and others when the loop has been around. None while the application has not taken the message
        before, or while the client does not take its pongs."""
        if self.transport.is_closing():
            self._unread.clear()
        if self._next is not None or not self._unread or self.read_paused or not self.writable.is_set():
            return
        part = bytes(self._unread[:SLICE_BYTES])
        del self._unread[:SLICE_BYTES]
        super().data_received(part)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse_greeting()
        elif self._unread:
            self._hold()
            self._next = self.loop.call_soon(self._again)

    def _refuse_greeting(self) -> None:
        """Uvicorn would wait for a better one, which never comes."""
        if not self.transport.is_closing():
            self.transport.write(_NO_GREETING % (len(_NO_GREETING_TEXT), _NO_GREETING_TEXT))
            self.transport.close()

    def _hold(self) -> None:
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def _again(self) -> None:
        self._next = None
        self._parse()
        self._read_on()

    def _read_on(self) -> None:
        if not self.is_held and not self.transport.is_closing():
            self.transport.resume_reading()

    def send_receive_event_to_app(self) -> None:
        """A text that is none ends the connection, as the protocol wants it; uvicorn would log a traceback."""
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(1007, "a text message is not UTF-8")
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    async def receive(self) -> Any:
        """The next thing that happened; then the client is read on."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.heard_at = self.loop.time()
            self._parse()
            self._read_on()
        return message

    async def send(self, message: Any) -> None:
        """As uvicorn; an end that came meanwhile is the client's doing and no defect of ours."""
        await self.writable.wait()
        if self.close_sent or self.transport.is_closing():
            raise ClientDisconnected
        await super().send(message)

    def pause_writing(self) -> None:
        """The client takes nothing, and as much as may be is kept for it."""
        if self._end is None:
            super().pause_writing()

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._parse()
        self._read_on()

    def let_go(self, seconds: float) -> None:
        """What is sent from now on is the goodbye, which waits for nothing; after so many seconds the connection is
        cut, whether the client has taken it or not."""
        if self._end is None:
            self._end = self.loop.call_later(seconds, self.transport.abort)
            self.writable.set()

    def shutdown(self) -> None:
        """The server goes. An application that knows by itself says goodbye in its own words."""
        if not (self.says_goodbye and self.handshake_complete):
            super().shutdown()


def keeping(buffer_bytes: int) -> type[Upgraded]:
    """The protocol with another bound for what a client does not take."""
    return type("UpgradedKeeping", (Upgraded,), {"buffer_bytes": buffer_bytes})


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True

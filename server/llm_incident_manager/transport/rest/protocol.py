"""uvicorn's HTTP protocol with limits it lacks: deadlines for receiving a request and for taking an answer, and a size
for headers."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 32 * 1024
SHOWN = "shown"
"""Where a request has its client's certificate (DER) and the TLS version, both empty without TLS."""
_TIMEOUT = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s"
)
_TOO_MANY = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s"
)


class ReceiptDeadline(HttpToolsProtocol):
    """Closes connections whose request does not arrive in time, or whose answer is not taken. The seconds are class
    attributes, since uvicorn makes the instances: see `with_deadlines`."""

    seconds = 8.0
    patience = 22.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Takes what uvicorn gives."""
        super().__init__(*arguments, **named)
        self._receipt: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        self._header_bytes = 0
        self._shown: tuple[bytes, str] = (b"", "")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """One that says nothing is closed as well. What the client shows over TLS holds for all its requests."""
        super().connection_made(transport)
        self._shown = shown(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._disarm()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client takes nothing of its answer, and as much as may be is buffered. Closing would wait for it."""
        super().pause_writing()
        if self._taking is None:
            self._taking = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None
        super().resume_writing()

    def on_message_begin(self) -> None:
        """The clock of a request starts with its first byte."""
        super().on_message_begin()
        self.scope["state"][SHOWN] = self._shown
        self._header_bytes = 0
        self._arm()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Headers count towards their limit before anything is done with them."""
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEADER_BYTES:
            self._refuse(_TOO_MANY, b'{"code":8,"message":"headers exceed 32768 bytes: send fewer or shorter ones"}')
            return
        super().on_header(name, value)

    def on_message_complete(self) -> None:
        """The request is here."""
        self._disarm()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """From here on another protocol has the connection, with limits of its own."""
        self._disarm()
        super().handle_websocket_upgrade()

    def _arm(self) -> None:
        self._disarm()
        self._receipt = self.loop.call_later(self.seconds, self._expired)

    def _disarm(self) -> None:
        if self._receipt is not None:
            self._receipt.cancel()
            self._receipt = None

    def _expired(self) -> None:
        text = b'{"code":4,"message":"the request did not arrive within %g s: send it faster"}' % self.seconds
        self._refuse(_TIMEOUT, text)

    def _refuse(self, answer: bytes, text: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer % (len(text), text))
            self.transport.close()


def shown(transport: asyncio.Transport) -> tuple[bytes, str]:
    """The client's certificate (DER) and the TLS version of a connection; both empty without TLS."""
    tls = transport.get_extra_info("ssl_object")
    return (b"", "") if tls is None else (tls.getpeercert(binary_form=True) or b"", tls.version() or "")


def with_deadlines(seconds: float, patience: float) -> type[ReceiptDeadline]:
    """The protocol with other deadlines: for a request to arrive, and for its answer to be taken."""
    return type("ReceiptDeadlineOf", (ReceiptDeadline,), {"seconds": seconds, "patience": patience})

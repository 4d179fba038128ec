"""TLS of the HTTP port: each connection shakes hands with what is shown at that moment, within a deadline, and why that
fails is known. Then uvicorn's protocol takes over as if nothing had been before."""

import asyncio
from collections.abc import Callable
from typing import Any

from llm_incident_manager.transport.handshakes import cause_of
from llm_incident_manager.transport.tls import ServerTls

GOODBYE_SECONDS = 1.0
"""How long a client may take to answer our goodbye; then the connection is closed without."""


class _Early(asyncio.Protocol):
    """Keeps what a client says before there is somebody to say it to."""

    def __init__(self) -> None:
        self.said: list[bytes] = []
        self.ended = False
        self.lost: tuple[Exception | None] | None = None

    def data_received(self, data: bytes) -> None:
        self.said.append(data)

    def eof_received(self) -> None:
        self.ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = (exc,)


class TlsDoor(asyncio.Protocol):
    """What a connection meets first."""

    def __init__(self, tls: ServerTls, seconds: float, inner: Callable[[], asyncio.Protocol]) -> None:
        """`seconds` for the handshake; `inner` makes the protocol that comes after it."""
        self._tls, self._seconds, self._inner = tls, seconds, inner
        self._loop = asyncio.get_running_loop()
        self._greeting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of TCP it is one
        """Nothing is read until the handshake does."""
        transport.pause_reading()
        self._greeting = self._loop.create_task(self._greet(transport), name="http-tls")

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone before the handshake began."""
        if self._greeting is not None:
            self._greeting.cancel(exc)

    async def _greet(self, plain: asyncio.Transport) -> None:
        early, peer = _Early(), plain.get_extra_info("peername")
        try:
            secured = await self._loop.start_tls(
                plain,
                early,
                self._tls.context(),
                server_side=True,
                ssl_handshake_timeout=self._seconds,
                ssl_shutdown_timeout=GOODBYE_SECONDS,
            )
        except OSError as error:  # of TLS as well
            plain.abort()
            who = f"{peer[0]}:{peer[1]}" if peer else ""
            self._tls.handshakes.failed("http", cause_of(error), who, str(error))
            return
        if secured is not None:
            _hand_over(secured, early, self._inner())


def _hand_over(secured: asyncio.Transport, early: _Early, inner: asyncio.Protocol) -> None:
    """A client may have spoken, or gone, between the handshake and now."""
    secured.set_protocol(inner)
    inner.connection_made(secured)
    for data in early.said:
        inner.data_received(data)
    if early.lost is not None:
        inner.connection_lost(early.lost[0])
    elif early.ended:
        inner.eof_received()


def door(tls: ServerTls, seconds: float, protocol: Callable[..., asyncio.Protocol]) -> Callable[..., TlsDoor]:
    """As uvicorn makes protocols: takes what that gives, for the one that comes after the handshake."""

    def make(**given: Any) -> TlsDoor:
        return TlsDoor(tls, seconds, lambda: protocol(**given))

    return make

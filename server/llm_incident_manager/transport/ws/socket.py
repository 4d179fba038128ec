"""One WebSocket as the rest of the door sees it: texts in and out, counted, with the patience that streams have."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

from llm_incident_manager.domain.errors import DomainError, ErrorReason, SlowSubscriber
from llm_incident_manager.telemetry.metrics import Metrics

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LAST_WORDS_SECONDS = 2.0
"""How long a client may take to hear the goodbye."""


class PeerGone(DomainError):
    """The client is not there any more."""

    def __init__(self) -> None:
        """Says so."""
        super().__init__(ErrorReason.CANCELLED, "the client went away")


class Line(Protocol):
    """The connection below, as transport.rest.upgraded has it."""

    heard_at: float
    says_goodbye: bool
    lost: asyncio.Event

    @property
    def is_held(self) -> bool:
        """Whether it is not read now."""
        ...

    def let_go(self, seconds: float) -> None:
        """Sends on whatever waits, and ends it after so many seconds."""
        ...


class Socket:
    """Says and hears texts."""

    def __init__(self, receive: Receive, send: Send, line: Line, metrics: Metrics, patience: float) -> None:
        """A client that takes nothing for `patience` seconds is slow."""
        self._receive, self._send, self.line = receive, send, line
        self._metrics = metrics
        self._patience = patience

    async def accept(self, subprotocol: str | None, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Answers the upgrade. Raises PeerGone."""
        await self._receive()  # websocket.connect
        await self._pass({"type": "websocket.accept", "subprotocol": subprotocol, "headers": list(headers)})

    async def hear(self) -> str | bytes | None:
        """The next message, bytes when it was no text; None once the client has gone."""
        message = await self._receive()
        if message["type"] != "websocket.receive":
            return None
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    def heard(self, kind: str) -> None:
        """Counts a message by the type that it turned out to be."""
        self._metrics.socket_message("in", kind)

    async def say(self, kind: str, text: str) -> None:
        """Sends a message of a type; waits while the client does not take what was sent before. Whoever has no patience
        of its own uses `tell`. Raises PeerGone."""
        await self._pass({"type": "websocket.send", "text": text})
        self._metrics.socket_message("out", kind)

    async def tell(self, kind: str, text: str) -> None:
        """As `say`. Raises SlowSubscriber when it waits too long."""
        waiting = asyncio.timeout(self._patience)
        try:
            async with waiting:
                await self.say(kind, text)
        except TimeoutError as late:
            if not waiting.expired():
                raise
            raise SlowSubscriber(self._patience) from late

    async def close(self, code: int, reason: str, last: str = "") -> None:
        """Says the last words and ends the connection, whether the client listens or not. Returns when it is gone."""
        self.line.let_go(LAST_WORDS_SECONDS)
        try:
            if last:
                await self.say("closing", last)
            await self._pass({"type": "websocket.close", "code": code, "reason": reason})
        except PeerGone:
            pass
        await self.line.lost.wait()

    async def _pass(self, message: MutableMapping[str, Any]) -> None:
        try:
            await self._send(message)
        except OSError as gone:
            raise PeerGone from gone

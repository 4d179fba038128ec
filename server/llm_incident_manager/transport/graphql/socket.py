"""One WebSocket: the graphql-transport-ws protocol, https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.

Who calls is asked when the socket is opened, and again by each method. Everything a client can make grow is bounded:
operations at once, the size of a message, and the time it takes nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import aclosing, suppress
from typing import Any, cast

import orjson

from llm_incident_manager.config.graphql_section import Graphql
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.graphql.app import Line
from llm_incident_manager.transport.graphql.context import Shown
from llm_incident_manager.transport.graphql.engine import Engine, asked_of
from llm_incident_manager.transport.graphql.errors import of_status
from llm_incident_manager.transport.rest.upgraded import CONNECTION

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
PROTOCOL = "graphql-transport-ws"
CREDENTIALS = ("authorization", "x-api-key")
"""What `connection_init` may carry, in any case: browsers cannot set headers of a WebSocket."""
MOST_TOO_MANY = 20
"""Operations beyond the most that are each answered with an error; then the socket is closed."""
LONGEST_ID = 128
LAST_WORDS_SECONDS = 2.0


class Closed(Exception):
    """The socket is to be closed: a code and a reason that the protocol knows."""

    def __init__(self, code: int, reason: str) -> None:
        """`reason` is cut to what a close frame holds."""
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:123].decode(errors="ignore")


class Socket:
    """A connection from its handshake to its end."""

    def __init__(self, settings: Graphql, engine: Engine, line: Line) -> None:
        """A client that takes nothing for so long, or of which nothing is heard, is cut off."""
        self._settings = settings
        self._engine = engine
        self._line = line
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks = set[asyncio.Task[None]]()
        self._too_many = 0
        self._sending = asyncio.Lock()

    async def serve(self, shown: Shown, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Until either side ends it."""
        self._send_frame, self._below = send, scope["state"][CONNECTION]
        await receive()  # websocket.connect
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL if PROTOCOL in scope["subprotocols"] else None})
        if PROTOCOL not in scope["subprotocols"]:
            await self._close(Closed(4406, f"Subprotocol not acceptable: use {PROTOCOL}"))
            return
        silence = asyncio.create_task(self._listen(), name="graphql-silence")
        try:
            await self._talk(await self._opened(shown, receive), receive)
        except Closed as closed:
            await self._close(closed)
        except (TimeoutError, OSError):  # a client that takes nothing any more hears nothing either
            await self._close(Closed(4408, "nothing was taken in time"))
        finally:
            silence.cancel()
            await self._end()

    async def _listen(self) -> None:
        """Ends a connection of which nothing is heard, not even answers to pings."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.1, self._below.heard_at + self._line.silence - loop.time()))
            if loop.time() - self._below.heard_at >= self._line.silence and not self._below.is_held:
                await self._close(Closed(4408, "nothing was heard in time: let your library answer pings"))
                return

    async def _opened(self, shown: Shown, receive: Receive) -> Shown:
        """What the client has shown, once it has proven who it is. Raises Closed."""
        try:
            async with asyncio.timeout(self._settings.init_timeout_secs):
                message = await self._message(receive)
        except TimeoutError:
            raise Closed(4408, "Connection initialisation timeout") from None
        if message is None or message["type"] != "connection_init":
            raise Closed(4401, "Unauthorized: send connection_init first")
        given = message.get("payload") or {}
        if not isinstance(given, dict):
            raise Closed(4400, "the payload of connection_init is no object")
        own = {key.lower(): value for key, value in given.items() if isinstance(value, str)}
        shown = Shown(
            {**shown.metadata, **{key: own[key] for key in CREDENTIALS if key in own}},
            shown.peer,
            shown.certificate,
            shown.tls,
        )

        async def nothing() -> None:
            """Asking is enough."""

        try:
            await self._engine.behind.dispatcher.around(shown.whole(), nothing)
        except StatusError as error:
            raise Closed(4403, f"Forbidden: {error.status.message}") from error
        await self._tell({"type": "connection_ack"})
        return shown

    async def _talk(self, shown: Shown, receive: Receive) -> None:
        while (message := await self._message(receive)) is not None:
            match message["type"]:
                case "subscribe":
                    await self._begin(shown, message)
                case "complete":
                    if (task := self._running.pop(_id_of(message), None)) is not None:
                        task.cancel()
                case "ping":
                    await self._tell({"type": "pong"})
                case "pong":
                    pass
                case "connection_init":
                    raise Closed(4429, "Too many initialisation requests")
                case unknown:
                    raise Closed(4400, f"unknown type of message: {unknown[:40]!r}")

    async def _begin(self, shown: Shown, message: Mapping[str, Any]) -> None:
        name = _id_of(message)
        if name in self._running:
            raise Closed(4409, f"Subscriber for {name} already exists")
        most = self._settings.max_operations_per_socket
        if len(self._running) < most:
            task = asyncio.create_task(self._operate(shown, name, message.get("payload")), name="graphql-operation")
            self._running[name] = task
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._over(name, done))
            return
        self._too_many += 1
        if self._too_many > MOST_TOO_MANY:
            raise Closed(4400, "too many operations, again and again")
        text = f"{most} operations run on this socket: end one before the next (graphql.max_operations_per_socket)"
        error = errors.status_error(DomainError(ErrorReason.OVERLOADED, text, {"limit": str(most)}))
        await self._tell({"id": name, "type": "error", "payload": of_status(error)})

    def _over(self, name: str, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if self._running.get(name) is task:
            del self._running[name]

    async def _operate(self, shown: Shown, name: str, payload: object) -> None:
        """Runs one operation to its end. A client that takes nothing ends with its socket."""
        whole = shown.whole()

        async def work() -> Any:
            asked = asked_of(payload)
            prepared = self._engine.prepare(asked, whole)
            if prepared.subscribes:
                return prepared
            return await self._engine.run(prepared, shown.within(whole))

        try:
            try:
                found = await self._engine.behind.dispatcher.around(whole, work)
                if isinstance(found, Mapping):
                    await self._tell({"id": name, "type": "next", "payload": found})
                else:
                    await self._stream(name, self._engine.subscribe(found, shown.within(whole)))
                await self._tell({"id": name, "type": "complete"})
            except StatusError as error:
                await self._tell({"id": name, "type": "error", "payload": self._engine.refused(error)["errors"]})
        except (TimeoutError, OSError):
            await self._close(Closed(4408, "nothing was taken in time"))

    async def _stream(self, name: str, told: AsyncIterator[Any]) -> None:
        async with aclosing(cast(Any, told)) as answers:
            async for answer in answers:
                await self._tell({"id": name, "type": "next", "payload": answer})

    async def _message(self, receive: Receive) -> dict[str, Any] | None:
        """The next message, or None at the end of the connection. Raises Closed for what is none."""
        frame = await receive()
        if frame["type"] == "websocket.disconnect":
            return None
        text = frame.get("text")
        if text is None or len(text) > self._settings.max_request_bytes:
            raise Closed(4400, f"messages are texts of at most {self._settings.max_request_bytes} bytes")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Closed(4400, "the message is no JSON") from None
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "the message is no object with a type")
        return message

    async def _tell(self, message: Mapping[str, Any]) -> None:
        """Raises TimeoutError when the client takes nothing."""
        text = orjson.dumps(message).decode()
        async with asyncio.timeout(self._line.patience), self._sending:
            await self._send_frame({"type": "websocket.send", "text": text})

    async def _close(self, closed: Closed) -> None:
        """Says goodbye, which the client has a moment to take; then the connection is cut."""
        self._below.let_go(LAST_WORDS_SECONDS)
        with suppress(OSError):  # it is gone already
            await self._send_frame({"type": "websocket.close", "code": closed.code, "reason": closed.reason})

    async def _end(self) -> None:
        """Ends what runs."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _id_of(message: Mapping[str, Any]) -> str:
    name = message.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_ID:
        raise Closed(4400, f"the message has no id: give a text of at most {LONGEST_ID} characters")
    return name

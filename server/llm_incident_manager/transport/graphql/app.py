"""The ASGI door: requests over HTTP, and the page to try them on. WebSockets are `socket`'s."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from llm_incident_manager.config.graphql_section import Graphql
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.engines.admission import Priority, Reason
from llm_incident_manager.telemetry.metrics import Metrics
from llm_incident_manager.transport import errors, origins
from llm_incident_manager.transport.admission import Door
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.graphql import page
from llm_incident_manager.transport.graphql.context import Behind, Shown
from llm_incident_manager.transport.rest import answers, protocol
from llm_incident_manager.transport.rest.body import read_body

if TYPE_CHECKING:
    from llm_incident_manager.transport.graphql.documents import Asked
    from llm_incident_manager.transport.graphql.engine import Engine
    from llm_incident_manager.transport.graphql.socket import Socket

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_JSON = b"application/json"
_ANSWER = b"application/graphql-response+json"


@dataclass(frozen=True, slots=True)
class _Made:
    """What needs the libraries of GraphQL."""

    engine: "Engine"
    read: "Callable[[bytes], Asked]"
    socket: "type[Socket]"


@dataclass(frozen=True, slots=True)
class Line:
    """What WebSockets go by: seconds for which a client may take nothing, and for which nothing may be heard of it, how
    many there may be, and the sites whose pages may connect beside those of this server."""

    patience: float
    silence: float
    most: int
    allowed_origins: Sequence[str]


class GraphqlApp:
    """GraphQL at its path, sockets there and at `/ws` below it, the page's files below it."""

    def __init__(self, settings: Graphql, behind: Behind, metrics: Metrics, door: Door, line: Line) -> None:
        """`door` words and counts refusals of sockets."""
        self._settings = settings
        self._behind = behind
        self._metrics = metrics
        self._door = door
        self._line = line
        self._open = 0
        self._making: asyncio.Task[_Made] | None = None

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["method"] == "POST" and scope["path"] == self._settings.path:
            await self._answer(scope, receive, send)
        elif not (self._settings.ide and await page.serve(scope, send, self._settings.path)):
            await answers.refuse(send, _not_taken(scope, self._settings.path))

    async def socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One WebSocket."""
        shown = shown_by(scope)
        try:
            self._must_be_welcome(shown.metadata)
        except DomainError as refused:
            await answers.refuse(answers.before_accept(send), errors.status_error(refused))
            return
        self._open += 1
        try:
            made = await self._ready()
            await made.socket(self._settings, made.engine, self._line).serve(shown, scope, receive, send)
        finally:
            self._open -= 1

    def _must_be_welcome(self, headers: Mapping[str, str]) -> None:
        """Raises OVERLOADED, SOURCE_DENIED."""
        if self._open >= self._line.most:
            raise self._door.refuse(Reason.CONNECTIONS, Priority.NORMAL, self._line.most)
        foreign = origins.foreign(headers, self._line.allowed_origins)
        if foreign is not None:
            text = f"pages of {foreign[:200]} may not connect: websocket.allowed_origins names the sites that may"
            raise DomainError(ErrorReason.SOURCE_DENIED, text)

    async def _ready(self) -> "_Made":
        """What is made on first use, in a thread, beside which others are served."""
        if self._making is None:
            self._making = asyncio.create_task(asyncio.to_thread(self._make), name="graphql")
        return await asyncio.shield(self._making)

    def _make(self) -> "_Made":
        from llm_incident_manager.transport.graphql import engine, schema, socket

        made = engine.Engine(self._settings, self._behind, self._metrics, schema.schema())
        return _Made(made, engine.read, socket.Socket)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        made = await self._ready()
        shown = shown_by(scope)
        call = shown.whole(_time_left(shown.metadata.get("x-request-timeout", "")))

        async def work() -> Any:
            _must_be_json(shown.metadata.get("content-type", ""))
            asked = made.read(await read_body(scope, receive, self._settings.max_request_bytes))
            prepared = made.engine.prepare(asked, call)
            if prepared.subscribes:
                text = f"subscriptions are taken over WebSocket, at {self._settings.path}/ws, by graphql-transport-ws"
                raise DomainError(ErrorReason.MALFORMED_MESSAGE, text)
            return await made.engine.run(prepared, shown.within(call))

        try:
            answer, status, more = await self._behind.dispatcher.around(call, work), 200, []
        except StatusError as error:
            answer, status, more = made.engine.refused(error), error.http_status, _wait(error)
        wanted = _ANSWER if _ANSWER.decode() in shown.metadata.get("accept", "") else _JSON
        headers = [(b"content-type", wanted), *answers.of_call(call), *more]
        body = orjson.dumps(answer)
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def shown_by(scope: Scope) -> Shown:
    """What a client shows with a request, or when it opens a socket."""
    metadata = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope.get("client")
    peer = f"{client[0]}:{client[1]}" if client else ""
    certificate, version = scope["state"][protocol.SHOWN]
    return Shown(metadata, peer, certificate, version)


def _must_be_json(content_type: str) -> None:
    """Browsers let no other page send JSON here unasked: that is why nothing else is taken. Raises DomainError."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        text = f"content-type {content_type!r} is not taken: send application/json"
        raise DomainError(ErrorReason.MALFORMED_MESSAGE, text)


def _time_left(seconds: str) -> float | None:
    try:
        return max(0.0, float(seconds)) if seconds else None
    except ValueError:
        return None


def _wait(error: StatusError) -> list[tuple[bytes, bytes]]:
    if error.retry_after is None:
        return []
    return [(b"retry-after", errors.retry_after_header(error.retry_after).encode())]


def _not_taken(scope: Scope, path: str) -> StatusError:
    text = f"{scope['path']} does not take {scope['method']}: POST an operation to {path}"
    refused = errors.status_error(DomainError(ErrorReason.NO_ROUTE, text, {"path": path, "allowed": "POST"}))
    refused.http_status, refused.allow = 405, "POST"
    return refused

"""Lets WebSockets in: at an upgrade the client proves who it is as with any call, and is told so before it connects."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message
from incidentmanager.v1 import principal_pb2

from llm_incident_manager.config.websocket_section import WebSocket
from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.engines.admission import Priority, Reason
from llm_incident_manager.telemetry import logs
from llm_incident_manager.transport import contract, errors, methods, origins
from llm_incident_manager.transport.admission import Door
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.handlers.services import Services
from llm_incident_manager.transport.identity import OpenStreams
from llm_incident_manager.transport.rest import answers
from llm_incident_manager.transport.rest.app import Application, Receive, Scope, Send, call_of
from llm_incident_manager.transport.rest.upgraded import CONNECTION
from llm_incident_manager.transport.ws import handshake, messages
from llm_incident_manager.transport.ws.session import Parts, Session
from llm_incident_manager.transport.ws.socket import PeerGone, Socket

PATHS = ("/ws", "/ws/events")
GREETING = "WhoAmI"
"""The call by which a client says who it is. It needs what everybody has who is let in."""


class WebSocketDoor:
    """The ASGI application of WebSockets."""

    def __init__(self, parts: Parts, door: Door, new_id: Callable[[], str]) -> None:
        """`door` words and counts refusals; `new_id` names sessions."""
        self._parts = parts
        self._door = door
        self._new_id = new_id
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        self._open += 1
        try:
            await self._serve(scope, receive, send)
        finally:
            self._open -= 1

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = call_of(self._parts.methods[GREETING], scope, "websocket")
        asked = handshake.metadata(call.metadata, scope["subprotocols"])
        headers, call.metadata, call.time_left = call.metadata, asked, None
        try:
            self._must_be_welcome(dict(headers))
            await self._parts.dispatcher.unary(call, _nothing)
        except StatusError as refused:
            await answers.refuse(answers.before_accept(send), refused, call)
            return
        except DomainError as refused:
            await answers.refuse(answers.before_accept(send), errors.status_error(refused))
            return
        await self._welcome(call, scope, receive, send)

    def _must_be_welcome(self, headers: dict[str, str]) -> None:
        """Raises DRAINING, OVERLOADED, SOURCE_DENIED."""
        settings = self._parts.settings
        if self._parts.drain.begun:
            raise DomainError(ErrorReason.DRAINING, "the server is shutting down: connect again", retry_after=1.0)
        if self._open > settings.max_connections:
            raise self._door.refuse(Reason.CONNECTIONS, Priority.NORMAL, settings.max_connections)
        foreign = origins.foreign(headers, settings.allowed_origins)
        if foreign is not None:
            text = f"pages of {foreign[:200]} may not connect: websocket.allowed_origins names the sites that may"
            raise DomainError(ErrorReason.SOURCE_DENIED, text)

    async def _welcome(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        parts, session_id = self._parts, self._new_id()
        line: Any = scope["state"][CONNECTION]
        line.says_goodbye = True
        socket = Socket(receive, send, line, parts.metrics, parts.patience)
        parts.metrics.socket_opened()
        with logs.bound(session=session_id):
            try:
                await socket.accept(handshake.chosen(scope["subprotocols"]), answers.of_call(call))
                await socket.say("connection_ack", messages.connection_ack(session_id, _limits(parts)))
            except PeerGone:
                parts.metrics.socket_closed("gone")
                return
            await Session(parts, socket, call, session_id).run()


def sockets(
    settings: WebSocket, patience: float, dispatcher: Dispatcher, services: Services, streams: OpenStreams
) -> Mapping[str, Application]:
    """What serves WebSockets, by path; nothing when there are to be none. A client that takes nothing for `patience`
    seconds is cut off."""
    if not settings.enabled:
        return {}
    parts = Parts(
        settings=settings,
        patience=patience,
        dispatcher=dispatcher,
        methods={method.name: method for method in methods.all_methods()},
        events=contract.socket_events(services),
        most_events=services.limits.max_frame_events,
        streams=streams,
        drain=services.drain,
        metrics=services.metrics,
    )
    door = WebSocketDoor(parts, services.door, lambda: services.tools.ids.new(services.clock.now()))
    return dict.fromkeys(PATHS, door)


def _limits(parts: Parts) -> dict[str, float]:
    settings = parts.settings
    return {
        "heartbeat_secs": settings.heartbeat_secs,
        "timeout_secs": settings.timeout_secs,
        "max_frame_bytes": settings.max_frame_bytes,
        "max_batch_events": parts.most_events,
        "max_subscriptions": settings.max_subscriptions,
    }


async def _nothing() -> Message:
    return principal_pb2.WhoAmIRequest()

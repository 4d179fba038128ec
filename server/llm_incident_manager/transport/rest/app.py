"""The ASGI application: finds the method bound to a path, runs it through the chain, and answers in JSON."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any
from urllib.parse import unquote

from google.protobuf.message import Message

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.transport import errors
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.methods import Method, all_methods
from llm_incident_manager.transport.rest import answers, bindings, pages, protocol, streaming
from llm_incident_manager.transport.rest.bindings import Binding
from llm_incident_manager.transport.rest.body import read_body
from llm_incident_manager.transport.rest.router import Match

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
NO_SOCKETS: Mapping[str, Application] = {}
(_ANY,) = (method for method in all_methods() if method.name == "WhoAmI")
"""Stands for a page, which is no method, where identity asks who calls."""


class RestApp:
    """All HTTP of the server: the contract's methods by their bindings, and a few pages beside them."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        methods: tuple[Method, ...],
        told: pages.Told,
        max_body: int,
        sockets: Mapping[str, Application] = NO_SOCKETS,
        others: Mapping[str, Application] = NO_SOCKETS,
    ) -> None:
        """`max_body` in bytes; `sockets` are what serves WebSockets, by path, and `others` what else answers requests.
        Without methods there are only the pages that tell how the server is."""
        self._dispatcher = dispatcher
        self._methods = {method.full_name: method for method in methods}
        self._router = bindings.router(method.descriptor for method in methods)
        self._max_body = max_body
        self._front = told.front
        self._pages = pages.pages(told)
        self._others = others
        self._paths = pages.PATHS if methods else pages.STATE_PATHS
        self._sockets = sockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        path = scope["raw_path"].decode("latin-1").partition("?")[0]
        if scope["type"] == "websocket":
            await self._socket(path, scope, receive, send)
            return
        if (other := self._others.get(path)) is not None:
            await self._other(other, path, scope, receive, send)
            return
        try:
            found = self._router.match(scope["method"], path)
        except DomainError as error:
            await answers.refuse(send, errors.status_error(error))
            return
        if found is not None:
            await self._serve(found, scope, receive, send)
        elif path in self._paths:
            await self._page(path, scope, receive, send)
        else:
            await answers.refuse(send, self._no_route(scope["method"], path))

    async def _other(self, other: Application, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        """What is posted is called, and asks who calls; whatever else is a page."""
        try:
            if scope["method"] != "POST":
                self._front.admit(call_of(_ANY, scope, "http"), path)
        except DomainError as error:
            await answers.refuse(send, errors.status_error(error))
        else:
            await other(scope, receive, send)

    async def _page(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        call = scope[pages.CALL] = call_of(_ANY, scope, "http")
        try:
            self._front.admit(call, path)
        except DomainError as error:
            await answers.refuse(send, errors.status_error(error))
        else:
            await self._pages(scope, receive, send)

    async def _serve(self, found: Match[Binding], scope: Scope, receive: Receive, send: Send) -> None:
        binding = found.route.target
        method = self._methods[binding.full_name]
        call = call_of(method, scope, "http")
        request = partial(self._request, found, scope, receive)
        if method.response_streaming:
            await streaming.serve(self._dispatcher, call, request, receive, send)
            return
        try:
            reply = await self._dispatcher.unary(call, request)
        except StatusError as error:
            await answers.refuse(send, error, call)
        else:
            await answers.reply(send, method.success_status, binding.render(reply), call)

    async def _socket(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        serves = self._sockets.get(path)
        if serves is not None:
            await serves(scope, receive, send)
            return
        known = ", ".join(self._sockets) or "none here"
        text = f"no WebSocket is served at {unquote(path)[:200]}: there is {known}"
        refused = errors.status_error(DomainError(ErrorReason.NO_ROUTE, text, {"path": path, "allowed": ""}))
        await answers.refuse(answers.before_accept(send), refused)

    async def _request(self, found: Match[Binding], scope: Scope, receive: Receive) -> Message:
        body = await read_body(scope, receive, self._max_body)
        return found.route.target.build(found.variables, scope["query_string"], body)

    def _no_route(self, method: str, path: str) -> StatusError:
        allowed = self._router.allowed(path)
        if path in self._sockets:
            return _upgrade(path)
        path = unquote(path)[:200]  # so that a secret in it is recognised as one
        if not allowed:
            remedy = "/openapi.json lists every path" if self._methods else "ask a process with the role api"
            text = f"nothing is bound to {path}: {remedy}"
            return errors.status_error(DomainError(ErrorReason.NO_ROUTE, text, {"path": path, "allowed": ""}))
        names = ", ".join(allowed)
        text = f"{path} does not take {method}: use {names}"
        refused = errors.status_error(DomainError(ErrorReason.NO_ROUTE, text, {"path": path, "allowed": names}))
        refused.http_status, refused.allow = 405, names
        return refused


def _upgrade(path: str) -> StatusError:
    text = f"{path} takes WebSockets: connect with a WebSocket client, docs/websocket.md tells what to send"
    refused = errors.status_error(DomainError(ErrorReason.NO_ROUTE, text, {"path": path, "allowed": "WebSocket"}))
    refused.http_status = 426
    return refused


def call_of(method: Method, scope: Scope, transport: str) -> Call:
    """A call that came with these headers over this connection."""
    metadata = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope.get("client")
    peer = f"{client[0]}:{client[1]}" if client else ""
    certificate, version = scope["state"][protocol.SHOWN]
    time_left = _time_left(metadata.get("x-request-timeout", ""))
    return Call(method, transport, metadata, peer, time_left, certificate, version)


def _time_left(seconds: str) -> float | None:
    try:
        return max(0.0, float(seconds)) if seconds else None
    except ValueError:
        return None

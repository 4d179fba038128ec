"""The only code that knows grpc.aio's call shapes: raw bytes in, dispatcher, raw bytes out, status on failure."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias

import grpc
from google.protobuf.message import Message
from grpc.aio import ServicerContext

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.transport import dispatch, errors
from llm_incident_manager.transport.authenticators.api_key import HEADER
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.dispatch import Dispatcher
from llm_incident_manager.transport.errors import StatusError
from llm_incident_manager.transport.hooks import DEFAULT_DEADLINE, REQUEST_ID, TRACEPARENT
from llm_incident_manager.transport.limits import FORWARDED
from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rpc import strangers, tls
from llm_incident_manager.transport.rpc.untaken import Untaken

Context: TypeAlias = "ServicerContext[bytes, bytes]"
_READ = frozenset({"authorization", HEADER, FORWARDED, REQUEST_ID, TRACEPARENT})
"""What of a call's metadata is always kept."""
_MORE = 32
"""Once so many entries are kept, the rest is not; a caller may send a thousand."""
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Gate:
    """Whether calls are taken: closed while the server drains."""

    def __init__(self) -> None:
        """Open."""
        self.draining = False
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def enter(self) -> None:
        """One call more."""
        self._active += 1
        self._idle.clear()

    def leave(self) -> None:
        """One call less."""
        self._active -= 1
        if not self._active:
            self._idle.set()

    async def wait_idle(self) -> None:
        """Until no call is under way."""
        await self._idle.wait()

    def refuse(self) -> StatusError | None:
        """Why a new call is not taken, if it is not."""
        if not self.draining:
            return None
        message = "the server is shutting down: call another one"
        return errors.status_error(DomainError(ErrorReason.DRAINING, message, retry_after=1.0))


class Bridge:
    """grpc.aio handlers for methods of the contract."""

    def __init__(self, dispatcher: Dispatcher, gate: Gate, *, secure: bool = False) -> None:
        """All calls go through this dispatcher while the gate is open. `secure` when they come over TLS."""
        self._dispatcher = dispatcher
        self._gate = gate
        self._call = _secure_call if secure else _call
        self._untaken = Untaken()

    def service(self, name: str, methods: Sequence[Method]) -> grpc.GenericRpcHandler:
        """The handler of one service."""
        return grpc.method_handlers_generic_handler(name, {method.name: self._handler(method) for method in methods})

    def _handler(self, method: Method) -> "grpc.RpcMethodHandler[bytes, bytes]":
        """Always one that reads its requests itself: of the others gRPC waits for the request before anybody has looked
        at who calls, and a call whose request never comes would take a place for as long as its connection lives."""
        if method.request_streaming:
            return grpc.stream_stream_rpc_method_handler(self._bidi(method))
        if method.response_streaming:
            return grpc.stream_stream_rpc_method_handler(self._server_stream(method))
        return grpc.stream_unary_rpc_method_handler(self._unary(method))

    def _unary(self, method: Method) -> Callable[[AsyncIterator[bytes], Context], Awaitable[bytes]]:
        async def handle(_: AsyncIterator[bytes], context: Context) -> bytes:
            call = self._call(method, context)
            async with _Counted(self._gate, context):
                try:
                    reply = await self._dispatcher.unary(call, partial(self._read, call, context))
                except StatusError as error:
                    await _abort(context, call, error)
                    raise AssertionError("abort raises") from error
                if (withheld := self._untaken.hand_over(call, context)) is not None:
                    await _abort(context, call, withheld)
                if call.standing is not None:
                    context.set_trailing_metadata(call.standing.headers)
                return reply.SerializeToString()

        return handle

    def _server_stream(self, method: Method) -> Callable[[AsyncIterator[bytes], Context], Awaitable[None]]:
        async def handle(_: AsyncIterator[bytes], context: Context) -> None:
            call = self._call(method, context)
            work = partial(
                self._dispatcher.server_stream, call, partial(self._soon, call, context), partial(_write, context)
            )
            await self._stream(call, context, work)

        return handle

    def _bidi(self, method: Method) -> Callable[[AsyncIterator[bytes], Context], Awaitable[None]]:
        async def handle(requests: AsyncIterator[bytes], context: Context) -> None:
            call = self._call(method, context)
            work = partial(self._dispatcher.bidi, call, _decoded(method, requests), partial(_write, context))
            await self._stream(call, context, work)

        return handle

    async def _read(self, call: Call, context: Context) -> Message:
        """The request. Raises DomainError for none, and as `decoded`."""
        data = await strangers.message(context)
        if data is None:
            text = f"{call.method.full_name} was called without a request: send one message"
            raise DomainError(ErrorReason.MALFORMED_MESSAGE, text, {"method": call.method.full_name})
        return self._dispatcher.decoded(call, data)

    async def _soon(self, call: Call, context: Context) -> Message:
        """As `_read`, of a call that has no deadline."""
        try:
            async with asyncio.timeout(DEFAULT_DEADLINE):
                return await self._read(call, context)
        except TimeoutError as late:
            text = f"no request came within {DEFAULT_DEADLINE:.3g} s"
            metadata = {"deadline_ms": str(int(DEFAULT_DEADLINE * 1000))}
            raise DomainError(ErrorReason.DEADLINE_EXCEEDED, text, metadata) from late

    async def _stream(self, call: Call, context: Context, work: Callable[[], Awaitable[None]]) -> None:
        """A status waits behind replies that its caller does not take, for as long as its connection lives; a drain
        does not."""
        refused: StatusError | None = None
        try:
            async with _Counted(self._gate, context):
                try:
                    await work()
                except StatusError as error:
                    refused = error
            if refused is not None:
                await _abort(context, call, refused)
        finally:
            call.left()


class _Counted:
    """Refuses while draining, and counts the call in and out, so that a drain can wait for the last."""

    def __init__(self, gate: Gate, context: Context) -> None:
        self._gate = gate
        self._context = context

    async def __aenter__(self) -> None:
        refusal = self._gate.refuse()
        if refusal is not None:
            await _abort(self._context, None, refusal)
        self._gate.enter()

    async def __aexit__(self, *_: object) -> None:
        self._gate.leave()


async def _write(context: Context, reply: Message) -> None:
    await context.write(reply.SerializeToString())


async def _decoded(method: Method, requests: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    async for data in requests:
        yield dispatch.decode(method, data)


def _call(method: Method, context: Context) -> Call:
    metadata = _kept(context.invocation_metadata() or ())
    return Call(method, "grpc", metadata, context.peer(), context.time_remaining())


def _kept(metadata: Iterable[tuple[str, str | bytes]]) -> dict[str, str]:
    kept: dict[str, str] = {}
    for key, value in metadata:
        if isinstance(value, str) and (key in _READ or len(kept) < _MORE):
            kept[key] = value
    return kept


def _secure_call(method: Method, context: Context) -> Call:
    call = _call(method, context)
    call.certificate, call.tls = tls.shown(context.auth_context())
    return call


async def _abort(context: Context, call: Call | None, error: StatusError) -> None:
    trailing: list[tuple[str, str | bytes]] = [("grpc-status-details-bin", error.status.SerializeToString())]
    if call is not None and call.request_id:
        trailing.append(("x-request-id", call.request_id))
    if call is not None and call.standing is not None:
        trailing += call.standing.headers
    await context.abort(_STATUS_CODES[error.status.code], error.status.message, tuple(trailing))

"""All doors with a caller's credentials: raw bytes over one gRPC channel, raw requests over one HTTP session."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import grpc
from google.api import annotations_pb2, http_pb2
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import StreamStreamMultiCallable, UnaryStreamMultiCallable, UnaryUnaryMultiCallable

from llm_incident_manager.transport.methods import Method
from tests.support.access import graphql_door
from tests.support.access.who import Who
from tests.support.server import RunningServer

PATIENCE = 20.0
QUIET = 0.4
"""A stream that has begun and says nothing for so many seconds has said what it has to say."""


@dataclass(frozen=True)
class Answer:
    """What a door said: the code's number, the reason of a refusal, and everything that came, as bytes: of a
    gRPC stream also message by message."""

    code: int
    reason: str = ""
    data: bytes = b""
    message: str = ""
    parts: tuple[bytes, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether identity or permission has ended it."""
        return self.code in (7, 16)


@dataclass(frozen=True)
class Route:
    """One way to call a method over HTTP."""

    method: Method
    verb: str
    path: str
    body: str

    def __str__(self) -> str:
        return f"{self.verb} {self.path}"


def routes(method: Method) -> Iterator[Route]:
    """Every way, aliases included, as the descriptor says."""
    options: Any = method.descriptor.GetOptions()  # extensions are typed by their own registry
    if not options.HasExtension(annotations_pb2.http):
        return
    rule: http_pb2.HttpRule = options.Extensions[annotations_pb2.http]
    for each in (rule, *rule.additional_bindings):
        verb = each.WhichOneof("pattern") or ""
        yield Route(method, verb.upper(), getattr(each, verb), each.body)


class Doors:
    """A server's doors, opened once."""

    def __init__(self, channel: grpc.aio.Channel, session: aiohttp.ClientSession) -> None:
        self._channel = channel
        self._session = session

    async def rpc(self, method: Method, request: Message | bytes, who: Who | None) -> Answer:
        """A call over gRPC; of streams what comes until it is quiet."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        if method.response_streaming:
            return await self.stream(method, [data], who)
        call: UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(f"/{method.full_name}", None, None)
        try:
            return Answer(0, data=await call(data, metadata=_metadata(who), timeout=PATIENCE))
        except grpc.aio.AioRpcError as error:
            return _refusal(error)

    async def stream(
        self, method: Method, requests: Sequence[bytes], who: Who | None, first: float = 1.0, most: int = 10_000
    ) -> Answer:
        """What a stream answers until it has said `most`, ends, or says nothing: for `first` seconds, or afterwards for
        a moment."""
        path, metadata = f"/{method.full_name}", _metadata(who)
        if method.request_streaming:
            bidi: StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(path, None, None)
            call: Any = bidi(_open_ended(requests), metadata=metadata)
        else:
            down: UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(path, None, None)
            call = down(requests[0], metadata=metadata)
        found: list[bytes] = []
        try:
            while len(found) < most:
                reply = await asyncio.wait_for(call.read(), QUIET if found else first)
                if reply is grpc.aio.EOF:
                    break
                found.append(reply)
        except TimeoutError:
            pass
        except grpc.aio.AioRpcError as error:
            refused = _refusal(error)
            return replace(refused, data=b"\n".join([*found, refused.data]), parts=tuple(found))
        finally:
            call.cancel()
        return Answer(0, data=b"\n".join(found), parts=tuple(found))

    async def http(self, route: Route, request: Message, who: Who | None, *, raw: bytes | None = None) -> Answer:
        """The same over HTTP. `raw` is sent as the body instead of what the request says."""
        path, query, body = _parts(route, request)
        sent: dict[str, Any] = {"data": raw} if raw is not None else {"json": body} if route.body else {}
        headers = dict(_metadata(who))
        async with self._session.request(route.verb, path + query, headers=headers, **sent) as reply:
            data = await _read(reply.content, QUIET if route.method.response_streaming else PATIENCE)
            if reply.status >= 400:
                return _http_refusal(data)
        return Answer(0, data=data)

    async def graphql(self, method: Method, request: Message, who: Who | None) -> Answer | None:
        """The same as a field of GraphQL; None where it has none that could be asked so."""
        asked = graphql_door.asked(method, request)
        if asked is None:
            return None
        body = {"query": asked[0], "variables": asked[1]}
        async with self._session.post("/graphql", json=body, headers=dict(_metadata(who))) as reply:
            data = await reply.read()
        code, reason, message = graphql_door.refusal(json.loads(data))
        return Answer(code, reason, data, message)


@asynccontextmanager
async def doors_of(server: RunningServer) -> AsyncIterator[Doors]:
    """Opens both."""
    options = [("grpc.max_receive_message_length", -1)]
    async with (
        grpc.aio.insecure_channel(server.grpc, options=options) as channel,
        aiohttp.ClientSession(server.http) as session,
    ):
        yield Doors(channel, session)


def _metadata(who: Who | None) -> tuple[tuple[str, str], ...]:
    return () if who is None else who.metadata


async def _open_ended(requests: Sequence[bytes]) -> AsyncIterator[bytes]:
    for each in requests:
        yield each
    await asyncio.sleep(PATIENCE)


async def _read(content: aiohttp.StreamReader, quiet: float) -> bytes:
    """All that comes until nothing does for so long."""
    found = b""
    try:
        while part := await asyncio.wait_for(content.readany(), quiet):
            found += part
    except TimeoutError:
        pass
    return found


def _refusal(error: grpc.aio.AioRpcError) -> Answer:
    trailing: dict[str, Any] = dict(error.trailing_metadata() or ())
    data = trailing.get("grpc-status-details-bin", b"")
    status = status_pb2.Status.FromString(data)
    return Answer(error.code().value[0], _reason(status), data, error.details() or "")


def _reason(status: status_pb2.Status) -> str:
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""


def _http_refusal(data: bytes) -> Answer:
    value = json.loads(data)
    infos = [each for each in value.get("details", ()) if each["@type"].endswith("ErrorInfo")]
    return Answer(value["code"], infos[0]["reason"] if infos else "", data, value["message"])


def _parts(route: Route, request: Message) -> tuple[str, str, Any]:
    """Path, query and body that say what the request says."""
    fields = json_format.MessageToDict(request, preserving_proto_field_name=True)
    pieces = []
    for piece in route.path.split("/"):
        if not piece.startswith("{"):
            pieces.append(piece)
            continue
        *parents, name = piece.strip("{}").split(".")
        holder = fields
        for parent in parents:
            holder = holder.get(parent, {})
        pieces.append(quote(holder.pop(name, "") or "-", safe=""))
    body = fields if route.body == "*" else fields.pop(route.body, {}) if route.body else None
    asked = "" if route.body == "*" else urlencode(_flat(fields), doseq=True)
    return "/".join(pieces), f"?{asked}" if asked else "", body


def _flat(fields: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            found.update(_flat(value, f"{prefix}{name}."))
        else:
            found[prefix + name] = str(value).lower() if isinstance(value, bool) else value
    return found

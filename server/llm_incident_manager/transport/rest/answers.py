"""Writes JSON answers: replies as the codec printed them, refusals as google.rpc.Status."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import orjson
from google.protobuf import json_format
from google.rpc import status_pb2

from llm_incident_manager.transport import errors
from llm_incident_manager.transport.call import Call
from llm_incident_manager.transport.errors import StatusError

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_JSON = (b"content-type", b"application/json")


async def reply(send: Send, status: int, body: bytes, call: Call) -> None:
    """A whole answer."""
    headers = [_JSON, (b"content-length", str(len(body)).encode()), *of_call(call)]
    await _whole(send, status, headers, body)


def of_call(call: Call) -> list[tuple[bytes, bytes]]:
    """What every answer says of its call: its name, and how the caller stands with its limits."""
    headers = [(b"x-request-id", call.request_id.encode("latin-1"))]
    if call.standing is not None:
        headers += [(name.encode(), value.encode()) for name, value in call.standing.headers]
    return headers


async def refuse(send: Send, error: StatusError, call: Call | None = None) -> None:
    """A refusal: the status as JSON, how long to wait or what is allowed where that helps."""
    body = orjson.dumps(status_json(error.status))
    headers = [_JSON, (b"content-length", str(len(body)).encode())]
    if call is not None and call.request_id:
        headers += of_call(call)
    if error.allow:
        headers.append((b"allow", error.allow.encode()))
    if error.retry_after is not None:
        headers.append((b"retry-after", errors.retry_after_header(error.retry_after).encode()))
    await _whole(send, error.http_status, headers, body)


def before_accept(send: Send) -> Send:
    """For an answer to whoever wants a WebSocket and gets none."""

    async def sent(message: MutableMapping[str, Any]) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return sent


def status_json(status: status_pb2.Status) -> dict[str, Any]:
    """{code, message, details}, with proto field names."""
    return json_format.MessageToDict(status, preserving_proto_field_name=True)


async def _whole(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

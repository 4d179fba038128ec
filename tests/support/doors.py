"""The same request through both doors: raw gRPC and raw HTTP, each without the project's own client or transcoder."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import grpc
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import UnaryUnaryMultiCallable

from llm_incident_manager.transport.methods import Method
from tests.support.server import RunningServer

_KNOWN = error_details_pb2.DESCRIPTOR
"""Its import makes the details of a status printable."""


@dataclass(frozen=True)
class Answer:
    """What a door said: the code's number, and the reply or the status as JSON values."""

    code: int
    value: Any


async def by_grpc(server: RunningServer, method: Method, request: Message) -> Answer:
    """Calls the method over gRPC."""
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        call: UnaryUnaryMultiCallable[Message, Message] = channel.unary_unary(
            f"/{method.full_name}", method.request.SerializeToString, method.response.FromString
        )
        try:
            reply = await call(request, timeout=10)
        except grpc.aio.AioRpcError as error:
            return Answer(error.code().value[0], _status(error))
    return Answer(0, plain(reply))


async def by_http(server: RunningServer, method: Method, request: Message) -> tuple[int, Answer]:
    """Calls the method by its main HTTP binding; the HTTP status and the answer."""
    options: Any = method.descriptor.GetOptions()  # extensions are typed by their own registry
    rule = options.Extensions[annotations_pb2.http]
    verb = rule.WhichOneof("pattern")
    fields = json_format.MessageToDict(request, preserving_proto_field_name=True)
    path = _path(getattr(rule, verb), fields)
    body = fields if rule.body == "*" else fields.pop(rule.body, None) if rule.body else None
    query = "" if rule.body == "*" else "?" + urlencode(_parameters(fields), doseq=True)
    async with aiohttp.request(verb.upper(), server.http + path + query, json=body) as reply:
        value = json.loads(await reply.text())
        if reply.status >= 400:
            return reply.status, Answer(value["code"], value)
    if rule.response_body:
        value = {rule.response_body: value}
    return reply.status, Answer(
        0, plain(json_format.ParseDict(_prefixed(value, method.descriptor.output_type), method.response()))
    )


def plain(message: Message) -> dict[str, Any]:
    """A message as JSON values, by protobuf's own printer."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def _path(template: str, fields: dict[str, Any]) -> str:
    parts = []
    for part in template.split("/"):
        if not part.startswith("{"):
            parts.append(part)
            continue
        *parents, name = part.strip("{}").split(".")
        holder = fields
        for parent in parents:
            holder = holder.get(parent, {})
        parts.append(quote(holder.pop(name, "") or "-", safe=""))
    return "/".join(parts)


def _parameters(fields: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            found.update(_parameters(value, f"{prefix}{name}."))
        else:
            found[prefix + name] = value if not isinstance(value, bool) else str(value).lower()
    return found


def _prefixed(values: dict[str, Any], descriptor: Descriptor) -> dict[str, Any]:
    """REST prints enums without their prefix; protobuf's parser wants it back."""
    return {name: _field(item, descriptor.fields_by_name[name]) for name, item in values.items()}


def _field(value: object, field: FieldDescriptor) -> object:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return value
    if isinstance(value, list):
        return [_single(item, field) for item in value]
    return _single(value, field)


def _single(value: object, field: FieldDescriptor) -> object:
    if field.enum_type is not None:
        return next(v.name for v in field.enum_type.values if v.name.endswith(f"_{value}"))
    kind = field.message_type
    if kind is None or not isinstance(value, dict) or kind.full_name.startswith("google.protobuf."):
        return value
    return _prefixed(value, kind)


def _status(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    details = dict(error.trailing_metadata() or ())
    return plain(status_pb2.Status.FromString(details["grpc-status-details-bin"]))

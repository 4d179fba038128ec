"""Google's well-known types, whose JSON is not an object of their fields: each is parsed and printed its own way."""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from llm_incident_manager.transport.rest.jsoncodec import moments
from llm_incident_manager.transport.rest.jsoncodec.problems import Rule, wrong
from llm_incident_manager.transport.rest.jsoncodec.scalars import Convert

WRAPPERS = frozenset(
    f"google.protobuf.{kind}Value"
    for kind in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)
"""Messages with one field `value`; in JSON the bare value."""

STRUCTURED = frozenset(f"google.protobuf.{kind}" for kind in ("Struct", "ListValue", "Value"))
"""Messages that hold any JSON; as a parameter they are JSON text."""


def _parse_mask(value: object) -> dict[str, list[str]]:
    """Comma-separated paths, in snake_case or lowerCamelCase."""
    if not isinstance(value, str):
        raise wrong(Rule.TYPE, 'be field paths with commas between them, as "a,b.c"', value)
    paths = [path.strip() for path in value.split(",")] if value else []
    return {"paths": ["".join(f"_{c.lower()}" if c.isupper() else c for c in path) for path in paths]}


def _print_mask(mask: FieldMask) -> str:
    return ",".join(mask.paths)


def _parse_struct(value: object) -> Message:
    if not isinstance(value, dict):
        raise wrong(Rule.TYPE, "be an object", value)
    struct = struct_pb2.Struct()
    struct.update(value)
    return struct


def _parse_list(value: object) -> struct_pb2.ListValue:
    if not isinstance(value, list):
        raise wrong(Rule.TYPE, "be an array", value)
    parsed = struct_pb2.ListValue()
    parsed.extend(value)
    return parsed


def _parse_value(value: object) -> Message:
    return _parse_list([value]).values[0]


def _print_struct(struct: struct_pb2.Struct) -> object:
    return {key: _print_value(struct.fields[key]) for key in sorted(struct.fields)}


def _print_list(listed: struct_pb2.ListValue) -> object:
    return [_print_value(value) for value in listed.values]


def _print_value(value: struct_pb2.Value) -> object:
    match value.WhichOneof("kind"):
        case "struct_value":
            return _print_struct(value.struct_value)
        case "list_value":
            return _print_list(value.list_value)
        case "number_value":
            return int(value.number_value) if value.number_value.is_integer() else value.number_value
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case _:
            return None


def _print_moment(moment: Timestamp) -> str:
    return moments.print_moment(moment.seconds, moment.nanos)


def _print_span(span: Duration) -> str:
    return moments.print_span(span.seconds, span.nanos)


PARSERS: Mapping[str, Convert] = {
    "google.protobuf.Timestamp": moments.parse_moment,
    "google.protobuf.Duration": moments.parse_span,
    "google.protobuf.FieldMask": _parse_mask,
    "google.protobuf.Struct": _parse_struct,
    "google.protobuf.ListValue": _parse_list,
    "google.protobuf.Value": _parse_value,
}
"""From JSON to what a message constructor takes for the field."""

PRINTERS: Mapping[str, Callable[[Any], object]] = {
    "google.protobuf.Timestamp": _print_moment,
    "google.protobuf.Duration": _print_span,
    "google.protobuf.FieldMask": _print_mask,
    "google.protobuf.Struct": _print_struct,
    "google.protobuf.ListValue": _print_list,
    "google.protobuf.Value": _print_value,
}
"""From the message, which is of the type named, to JSON."""

"""Query parameters into a message with a field of every type. No method of ours has such a request, so the door is the
transcoder, given one. What it makes of a query is printed by protobuf's own printer.
"""

import base64
import functools
import re
from typing import Any

from google.api import http_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from cases import transcoding
from cases.case import Case, Doors, needed
from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport.rest.bindings import Binding
from llm_incident_manager.transport.rest.router import Router

NAME = "query_parameters"

_SCALARS = ("float", "double", "int64", "int32", "uint64", "uint32", "bool", "string", "bytes")
_MORE_SCALARS = ("sint32", "sint64", "fixed32", "fixed64", "sfixed32", "sfixed64")
_WRAPPERS = ("Float", "Double", "Int64", "Int32", "UInt64", "UInt32", "Bool", "String", "Bytes")
_MAPS = {
    "map_value": ("string", "string"),
    "map_value2": ("string", "int32"),
    "map_value3": ("int32", "string"),
    "map_value4": ("string", "int64"),
    "map_value5": ("int64", "string"),
    "map_value6": ("string", "uint32"),
    "map_value7": ("uint32", "string"),
    "map_value8": ("string", "uint64"),
    "map_value9": ("uint64", "string"),
    "map_value10": ("string", "float"),
    "map_value12": ("string", "double"),
    "map_value14": ("string", "bool"),
    "map_value15": ("bool", "string"),
    "map_value16": ("string", "google.protobuf.UInt64Value"),
}
_ROOT = "/v1"
_DECODED, _PATHS = " (decoded)", ".paths"


def recognises(case: Case) -> bool:
    """A query with the fields it should give."""
    return "query" in case and ("expect" in case or "expect_error" in case) and "filter" not in case


async def run(case: Case, doors: Doors) -> str:
    """Reads the query; every expected field must be as expected."""
    query = needed(case, "query", str)
    refusal = case.get("expect_error") or case.get("expect_invalid")
    try:
        message = transcoding.request(_routes(), "GET", f"{_ROOT}?{query}")
    except InvalidFields as error:
        return "" if refusal else error.message
    assert message is not None
    if refusal:
        return "it was taken"
    wrong = [_differs(message, name, value) for name, value in needed(case, "expect", dict).items()]
    return "; ".join(filter(None, wrong))


def _differs(message: Message, name: str, expected: object) -> str:
    got = _value(message, name)
    return "" if got == expected else f"{name} is {got!r}, expected {expected!r}"


def _value(message: Message, name: str) -> object:
    """A field as the cases name it: bytes `(decoded)`, `.paths` of a mask, otherwise JSON; dots go down."""
    decoded, paths = name.endswith(_DECODED), name.endswith(_PATHS)
    value: Any = message if paths else MessageToDict(message, always_print_fields_with_no_presence=True)
    for step in name.removesuffix(_DECODED).removesuffix(_PATHS).split("."):
        value = getattr(value, _snake(step)) if paths else value.get(step) if isinstance(value, dict) else None
    if paths:
        return list(value.paths)
    return base64.b64decode(value).decode() if decoded else value


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)


def _message() -> DescriptorProto:
    names = (
        *((f"{kind}_value", kind) for kind in (*_SCALARS, *_MORE_SCALARS)),
        *((f"optional_{kind}", kind) for kind in _SCALARS),
        *((f"wrapper_{kind.lower()}_value", f"google.protobuf.{kind}Value") for kind in _WRAPPERS),
        *((f"oneof_{kind}_value", kind) for kind in _SCALARS),
        ("enum_value", "#EnumValue"),
        ("optional_value", "string"),
        ("nested", "@@"),
        ("timestamp_value", "google.protobuf.Timestamp"),
        ("duration_value", "google.protobuf.Duration"),
        ("fieldmask_value", "google.protobuf.FieldMask"),
        ("struct_value", "google.protobuf.Struct"),
        ("value_value", "google.protobuf.Value"),
        ("list_value", "google.protobuf.ListValue"),
    )
    message = DescriptorProto(name="Request")
    for number, (name, kind) in enumerate(names, 1):
        message.field.append(transcoding.field(name, number, kind))
    for name, kind in (
        ("repeated_value", "string"),
        ("repeated_enum", "#EnumValue"),
        ("repeated_message", "@@"),
        *((f"repeated_{kind}", kind) for kind in _SCALARS),
        *((f"repeated_{kind}_value", kind) for kind in _SCALARS),
    ):
        message.field.append(transcoding.field(name, len(message.field) + 1, kind, repeated=True))
    _add_maps(message)
    _add_choices(message)
    return message


def _add_maps(message: DescriptorProto) -> None:
    for name, (key, value) in _MAPS.items():
        entry = message.nested_type.add(name=name.title().replace("_", "") + "Entry")
        entry.options.map_entry = True
        entry.field.extend([transcoding.field("key", 1, key), transcoding.field("value", 2, value)])
        message.field.append(transcoding.field(name, len(message.field) + 1, f"@{entry.name}", repeated=True))


def _add_choices(message: DescriptorProto) -> None:
    """The fields of the one oneof, and those whose presence counts; protoc gives each of these a oneof of its own."""
    message.oneof_decl.add(name="oneof_value")
    for field in message.field:
        if field.name.startswith("oneof_"):
            field.oneof_index = 0
    for field in message.field:
        if field.name.startswith("optional_"):
            field.proto3_optional = True
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field.name}")


@functools.cache
def _routes() -> Router[Binding]:
    """A method whose request has a field of every type."""
    enum = EnumDescriptorProto(name="EnumValue")
    for number, name in enumerate("XYZ"):
        enum.value.add(name=name, number=number)
    return transcoding.routes(_message(), http_pb2.HttpRule(get=_ROOT), enum)

"""Methods made up for a case: the server's transcoder gets the descriptor it would get of a .proto file."""

import itertools
from collections.abc import Mapping
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pool, duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodOptions,
)
from google.protobuf.message import Message

from cases.case import Unreadable
from llm_incident_manager.transport.rest import bindings
from llm_incident_manager.transport.rest.bindings import Binding
from llm_incident_manager.transport.rest.router import Router

_IMPORTS = tuple(
    module.DESCRIPTOR.name for module in (duration_pb2, field_mask_pb2, struct_pb2, timestamp_pb2, wrappers_pb2)
)
_numbers = itertools.count(1)
_KINDS: Mapping[type, str] = {bool: "bool", int: "int32", float: "double", str: "string"}


def routes(request: DescriptorProto, rule: http_pb2.HttpRule, *enums: EnumDescriptorProto) -> Router[Binding]:
    """The routes of one method with this request and this annotation."""
    package = f"made_for_case_{next(_numbers)}"
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    file.dependency.extend(["google/api/annotations.proto", *_IMPORTS])
    file.message_type.add().CopyFrom(request)
    file.message_type[0].name = "Request"
    for enum in enums:
        file.enum_type.add().CopyFrom(enum)
    _localise(file.message_type[0], package)
    method = file.service.add(name="Service").method.add(
        name="Method", input_type=f".{package}.Request", output_type=f".{package}.Request"
    )
    options: Any = MethodOptions()  # extensions are typed by their own registry
    options.Extensions[annotations_pb2.http].CopyFrom(rule)
    method.options.CopyFrom(options)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(file.SerializeToString())
    return bindings.router([pool.FindServiceByName(f"{package}.Service").methods_by_name["Method"]])


def request(routes_: Router[Binding], method: str, url: str, body: bytes = b"") -> Message | None:
    """The request message of an HTTP request; None when no route takes it. Raises InvalidFields, MalformedJson."""
    path, _, query = url.partition("?")
    found = routes_.match(method, path)
    if found is None:
        return None
    return found.route.target.build(found.variables, query.encode("utf-8"), body)


def like(values: Mapping[str, Any]) -> DescriptorProto:
    """A message that can hold these values: a field for each, typed by it."""
    message = DescriptorProto(name="Request")
    for number, (name, value) in enumerate(values.items(), 1):
        repeated = isinstance(value, list)
        single = value[0] if repeated and value else "" if repeated else value
        if isinstance(single, Mapping):
            nested = like(single)
            nested.name = f"Type{number}"
            message.nested_type.append(nested)
            message.field.append(field(name, number, f"@{nested.name}", repeated=repeated))
        elif type(single) in _KINDS:
            message.field.append(field(name, number, _KINDS[type(single)], repeated=repeated))
        else:
            raise Unreadable(f"{name} is {value!r}, which tells no type")
    return message


def field(name: str, number: int, kind: str, *, repeated: bool = False) -> FieldDescriptorProto:
    """A field; `kind` is a scalar type, the full name of an imported message, `@Nested`, or `#Enum` beside it."""
    made = FieldDescriptorProto(name=name, number=number)
    made.label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    if kind[0] == "#":
        made.type, made.type_name = FieldDescriptorProto.TYPE_ENUM, kind
    elif kind[0] in "@." or "." in kind:
        made.type, made.type_name = FieldDescriptorProto.TYPE_MESSAGE, kind if kind[0] == "@" else f".{kind}"
    else:
        made.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
    return made


def _localise(message: DescriptorProto, scope: str) -> None:
    """Gives the names of nested types and enums their package; `@@` is the outermost message itself."""
    own = f"{scope}.{message.name}"
    for each in message.field:
        if each.type_name == "@@":
            each.type_name = f".{own}"
        elif each.type_name.startswith("@"):
            each.type_name = f".{own}.{each.type_name[1:]}"
        elif each.type_name.startswith("#"):
            each.type_name = f".{own.partition('.')[0]}.{each.type_name[1:]}"
    for nested in message.nested_type:
        _localise(nested, own)

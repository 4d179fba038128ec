"""What of the contract GraphQL shows, and under which names: read by the tool that writes the SDL and by the resolvers.

Every unary method is a field: of Query when it is a GET over HTTP, otherwise of Mutation. Lists of incidents and single
ones are written by hand, since they are connections and take a number as well.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.annotation import annotations_of
from llm_incident_manager.transport.rest.jsoncodec import wellknown

LEFT_OUT = frozenset({"AnalyzeCorrelations"})
"""Methods that this release does not serve."""
BY_HAND = frozenset({"GetIncident", "ListIncidents"})
"""Methods whose fields are in doors.graphql."""
_NAMES: Mapping[str, tuple[str, ...]] = {"WhoAmI": ("me",), "GetIncidentMetrics": ("metrics", "incidentMetrics")}
"""Where a field is not called as its method."""
_PREFIX = re.compile(r"^(?:Get|List)(?=[A-Z])")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ID_NAMES = frozenset({"merged_into", "duplicate_of"})

SCALARS: Mapping[str, str] = {
    "google.protobuf.Timestamp": "DateTime",
    "google.protobuf.Duration": "Duration",
    "google.protobuf.FieldMask": "String",
    "google.protobuf.Struct": "JSON",
    "google.protobuf.ListValue": "JSON",
    "google.protobuf.Value": "JSON",
    "google.protobuf.Any": "JSON",
}
_PLAIN: Mapping[int, str] = {
    FieldDescriptor.TYPE_STRING: "String",
    FieldDescriptor.TYPE_BYTES: "Base64",
    FieldDescriptor.TYPE_BOOL: "Boolean",
    FieldDescriptor.TYPE_DOUBLE: "Float",
    FieldDescriptor.TYPE_FLOAT: "Float",
    FieldDescriptor.TYPE_INT32: "Int",
    FieldDescriptor.TYPE_SINT32: "Int",
    FieldDescriptor.TYPE_SFIXED32: "Int",
}


@dataclass(frozen=True, slots=True)
class Root:
    """A field of Query or Mutation. `arguments` name fields of the request; `part` is what of the reply is given."""

    name: str
    operation: str
    method: Method
    arguments: Mapping[str, FieldDescriptor]
    part: FieldDescriptor | None


def roots(methods: tuple[Method, ...]) -> Iterator[Root]:
    """The fields that call these methods."""
    for method in methods:
        if method.request_streaming or method.response_streaming or method.name in LEFT_OUT | BY_HAND:
            continue
        main = next(annotations_of(method.descriptor))
        operation = "Query" if main.http_method == "GET" else "Mutation"
        shown = main.response_body or _only_field(method.descriptor.output_type)
        part = method.descriptor.output_type.fields_by_name[shown] if shown else None
        for name in _NAMES.get(method.name) or (_field_name(method.name, reads=operation == "Query"),):
            yield Root(name, operation, method, _arguments(method), part)


def _only_field(message: Descriptor) -> str:
    """The name of a message's single field; a list stays in its reply, beside which more may come."""
    single = len(message.fields) == 1 and not message.fields[0].is_repeated
    return message.fields[0].name if single and message.name.endswith("Response") else ""


def _field_name(method: str, *, reads: bool) -> str:
    name = _PREFIX.sub("", method) if reads else method
    return name[0].lower() + name[1:]


def _arguments(method: Method) -> Mapping[str, FieldDescriptor]:
    """Request fields by argument; what a Get names by its id is asked for by `id`."""
    own = f"{_WORD.sub('_', method.name.removeprefix('Get')).lower()}_id" if method.name.startswith("Get") else ""
    return {"id" if field.name == own else field.json_name: field for field in method.descriptor.input_type.fields}


def is_map(field: FieldDescriptor) -> bool:
    """Whether the field is a map."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def is_object(field: FieldDescriptor) -> bool:
    """Whether the field's values are objects of their own type; well-known types, maps and what has no fields are
    scalars."""
    kind = field.message_type
    known = {*SCALARS, *wellknown.WRAPPERS}
    return kind is not None and not is_map(field) and kind.full_name not in known and bool(kind.fields)


def is_id(field: FieldDescriptor) -> bool:
    """Whether the field names something."""
    named = field.name in ("id", "ids") or field.name.endswith(("_id", "_ids")) or field.name in _ID_NAMES
    return field.type == FieldDescriptor.TYPE_STRING and named and field.name != "request_id"


def type_name(field: FieldDescriptor, *, given: bool = False) -> str:
    """The GraphQL type of one value of a field; `given` says that callers give it."""
    if is_map(field) or (field.message_type is not None and not field.message_type.fields):
        return "Map"
    if field.enum_type is not None:
        return field.enum_type.name
    kind = field.message_type
    if kind is None:
        return "ID" if is_id(field) else _PLAIN.get(field.type, "Int64")
    if kind.full_name in wellknown.WRAPPERS:
        return type_name(kind.fields_by_name["value"])
    return SCALARS.get(kind.full_name) or (f"{kind.name}Input" if given else kind.name)


def may_be_absent(field: FieldDescriptor) -> bool:
    """Whether an answer may have no value there: unset messages, words not told, and ids of nothing."""
    if field.is_repeated:
        return False
    return field.has_presence or field.enum_type is not None or (is_id(field) and field.name != "id")

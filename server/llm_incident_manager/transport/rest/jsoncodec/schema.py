"""JSON Schemas (2020-12) of what the codec prints and reads, compiled from the same descriptors, rules included.

A schema names the canonical spelling; the codec reads more of them. It describes and never checks: the checker judges.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from buf.validate import validate_pb2 as validate
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from llm_incident_manager.domain import controls
from llm_incident_manager.transport.checker import plan
from llm_incident_manager.transport.rest.jsoncodec import enums, scalars, wellknown

Schema = dict[str, Any]
"""A JSON Schema: JSON, whose shape no type says."""

_WELL_KNOWN: Mapping[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$", "examples": ["90s"]},
    "google.protobuf.FieldMask": {"type": "string", "examples": ["title,severity"]},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.ListValue": {"type": "array"},
    "google.protobuf.Value": {},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
    },
}
_SPECIAL = {"enum": ["NaN", "Infinity", "-Infinity"]}
_OTHERS: Mapping[int, Schema] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    FieldDescriptor.TYPE_DOUBLE: {"anyOf": [{"type": "number", "format": "double"}, _SPECIAL]},
    FieldDescriptor.TYPE_FLOAT: {"anyOf": [{"type": "number", "format": "float"}, _SPECIAL]},
}
_KEYWORDS = {
    "min_len": "minLength",
    "max_len": "maxLength",
    "pattern": "pattern",
    "gt": "exclusiveMinimum",
    "gte": "minimum",
    "lt": "exclusiveMaximum",
    "lte": "maximum",
    "min_items": "minItems",
    "max_items": "maxItems",
    "unique": "uniqueItems",
    "min_pairs": "minProperties",
    "max_pairs": "maxProperties",
}
"""Validation options that JSON Schema has a word for. The others are left to the checker's message."""


class Words(Protocol):
    """What descriptors do not hold and a schema can tell."""

    def of_message(self, message: Descriptor) -> Schema:
        """Keywords beside the properties of a message."""
        ...

    def of_field(self, field: FieldDescriptor) -> Schema:
        """Keywords beside the schema of a field."""
        ...

    def of_enum(self, enum: EnumDescriptor) -> Schema:
        """Keywords beside the values of an enum."""
        ...


_PLAIN: Schema = {"not": {"pattern": controls.PATTERN}}
"""No text of a request has control characters, whatever its field says."""


class Schemas:
    """The schemas of a document. Messages and enums become components, referred to by name."""

    def __init__(self, words: Words | None = None) -> None:
        """Without `words` schemas say only what the descriptors do."""
        self.components: dict[str, Schema] = {}
        self._words = words

    def message(self, message: Descriptor, omitted: Iterable[str] = ()) -> Schema:
        """A reference to a message's component; `omitted` fields come from elsewhere than its JSON."""
        if message.full_name in wellknown.WRAPPERS:
            inner = self.value(message.fields_by_name["value"], validate.FieldRules())
            return {"anyOf": [inner, {"type": "null"}]}
        if message.full_name in _WELL_KNOWN:
            return _WELL_KNOWN[message.full_name]
        left_out = frozenset(omitted).intersection(message.fields_by_name)
        name = message.name + ("Body" if left_out else "")
        if name not in self.components:
            self.components[name] = {}  # known before its fields are, since types may contain themselves
            self.components[name] = self._object(message, left_out)
        return {"$ref": f"#/components/schemas/{name}"}

    def field(self, field: FieldDescriptor) -> Schema:
        """The schema of a whole field: one value, a list or a map, with its rules."""
        rules = field.GetOptions().Extensions[validate.field]
        if not field.is_repeated:
            return self.value(field, rules)
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
            names = self.value(key, rules.map.keys) if key.type == FieldDescriptor.TYPE_STRING else {}
            limits = {keyword: limit for keyword, limit in names.items() if keyword != "type"}
            schema: Schema = {"type": "object", "additionalProperties": self.value(value, rules.map.values)}
            return schema | ({"propertyNames": limits} if limits else {}) | _keywords(rules.map)
        items = self.value(field, rules.repeated.items)
        return {"type": "array", "items": items} | _keywords(rules.repeated)

    def value(self, field: FieldDescriptor, rules: validate.FieldRules) -> Schema:
        """The schema of one value of a field, with its rules."""
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.enum_type is not None:
            return self._enum(field.enum_type) | _left_out(field.enum_type, rules.enum.not_in)
        if field.type in scalars.INTEGERS:
            return _integer(field, rules)
        if field.type not in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
            plain = _PLAIN if field.type == FieldDescriptor.TYPE_STRING else {}
            return _OTHERS[field.type] | _rules(rules) | plain
        number, special = _OTHERS[field.type]["anyOf"]
        given = _rules(rules)
        finite = rules.double.finite or rules.float.finite
        return number | given if finite else {"anyOf": [number | given, special]}

    def _enum(self, enum: EnumDescriptor) -> Schema:
        if enum.name not in self.components:
            names = enums.spelling(enum).names
            told = self._words.of_enum(enum) if self._words else {}
            self.components[enum.name] = {"type": "string", "enum": [names[n] for n in sorted(names)]} | told
        return {"$ref": f"#/components/schemas/{enum.name}"}

    def _object(self, message: Descriptor, omitted: frozenset[str]) -> Schema:
        fields = [field for field in message.fields if field.name not in omitted]
        schema: Schema = {"type": "object", "properties": {field.name: self._property(field) for field in fields}}
        required = sorted(required_fields(message) - omitted)
        told = self._words.of_message(message) if self._words else {}
        return schema | ({"required": required} if required else {}) | _one_of(message) | told

    def _property(self, field: FieldDescriptor) -> Schema:
        return self.field(field) | (self._words.of_field(field) if self._words else {})


def _one_of(message: Descriptor) -> Schema:
    """That exactly one field of a required oneof is given. (Of two such oneofs the schema tells the first.)"""
    required = plan.plan_all(message)[message.full_name].required_oneofs
    choices = [[{"required": [field.name]} for field in message.oneofs_by_name[name].fields] for name in required]
    return {"oneOf": choices[0]} if choices else {}


def required_fields(message: Descriptor) -> set[str]:
    """Fields without which a message breaks its rules."""
    found = plan.plan_all(message)[message.full_name].fields
    return {field.name for field in found if field.required or (not field.presence and _refuses_nothing(field))}


def _refuses_nothing(field: plan.Field) -> bool:
    """Whether the zero value, or an empty list or map, breaks a rule."""
    if field.shape is not plan.Shape.SINGLE:
        return any(rule.test(()) for rule in field.whole)
    return bool(field.value.rules) and not field.value.skip_unset and not field.value.zero_is_valid


def _left_out(enum: EnumDescriptor, numbers: Iterable[int]) -> Schema:
    """The values that a field does not take."""
    names = enums.spelling(enum).names
    never = [names[number] for number in numbers if number in names]
    return {"not": {"enum": never}} if never else {}


def _integer(field: FieldDescriptor, rules: validate.FieldRules) -> Schema:
    low, high = scalars.INTEGERS[field.type]
    if high - low > 2**32:  # printed as text, since JavaScript's numbers end at 2**53
        return {"type": "string", "format": "int64" if low else "uint64", "pattern": "^-?[0-9]+$"}
    return {"type": "integer", "format": "int32" if low else "uint32"} | _rules(rules)


def _rules(rules: validate.FieldRules) -> Schema:
    """What JSON Schema can say of the rules of one scalar; nothing of a range whose bounds are swapped."""
    kind = rules.WhichOneof("type")
    if kind is None or rules.ignore != validate.IGNORE_UNSPECIFIED:
        return {}
    options = getattr(rules, kind)
    found = _keywords(options)
    low, high = found.get("minimum", found.get("exclusiveMinimum")), found.get("maximum", found.get("exclusiveMaximum"))
    if low is not None and high is not None and high < low:
        return {}
    return found | (_of_text(options) if kind == "string" else {})


def _of_text(options: Any) -> Schema:
    """What else is said of a text is said of all: see `inspect`."""
    return {"format": "uuid"} if options.uuid else {}


def _keywords(options: Any) -> Schema:
    return {_KEYWORDS[option.name]: value for option, value in options.ListFields() if option.name in _KEYWORDS}

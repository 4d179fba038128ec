"""From a message to JSON values, compiled per message type.

Proto field names; defaults printed, unset messages and unset `optional` fields left out; map entries in key order. It
writes no text: orjson does.
"""

import base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from llm_incident_manager.transport.checker.rules import quote
from llm_incident_manager.transport.rest.jsoncodec import enums, scalars, wellknown

Encode = Callable[[Any], object]
"""From what a field or message holds (typed by its descriptor, unknown to mypy) to a JSON value."""

_ANY = "google.protobuf.Any"


class Encoder:
    """Encodes one message type."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        """Without fields; `Encoders.of` fills them in afterwards, since types may contain themselves."""
        self.fields: tuple[tuple[str, bool, Encode | None], ...] = ()

    def __call__(self, message: Message) -> dict[str, object]:
        """The JSON object of a message."""
        out: dict[str, object] = {}
        has = message.HasField
        for name, presence, encode in self.fields:
            if presence and not has(name):
                continue
            value = getattr(message, name)
            out[name] = value if encode is None else encode(value)
        return out


class Encoders:
    """Makes and shares the encoders of message types, recursive ones included."""

    def __init__(self) -> None:
        self._encoders: dict[str, Encoder] = {}

    def of(self, descriptor: Descriptor) -> Encoder:
        """The encoder of a message type that is written as a JSON object of its fields."""
        encoder = self._encoders.get(descriptor.full_name)
        if encoder is None:
            encoder = self._encoders[descriptor.full_name] = Encoder()
            encoder.fields = tuple((f.name, f.has_presence, self.field(f)) for f in descriptor.fields)
        return encoder

    def field(self, field: FieldDescriptor) -> Encode | None:
        """From a whole field, one value, a list or a map, to JSON; None where it is JSON already."""
        if not field.is_repeated:
            return self._value(field)
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            return _map(self._value(entry.fields_by_name["value"]))
        return _list(self._value(field))

    def message(self, message: Descriptor) -> Encode:
        """From a message to JSON, well-known types included."""
        if message.full_name in wellknown.WRAPPERS:
            inner = self._value(message.fields_by_name["value"])
            return lambda wrapper: wrapper.value if inner is None else inner(wrapper.value)
        if message.full_name == _ANY:
            return self._any
        return wellknown.PRINTERS.get(message.full_name) or self.of(message)

    def _value(self, field: FieldDescriptor) -> Encode | None:
        if field.enum_type is not None:
            names = enums.spelling(field.enum_type).names
            return lambda number: names.get(number, number)
        message = field.message_type
        return scalars.printer(field) if message is None else self.message(message)

    def _any(self, packed: AnyMessage) -> object:
        """A packed message with its type beside its fields; one of unknown type as base64."""
        try:
            descriptor = descriptor_pool.Default().FindMessageTypeByName(packed.TypeName())
        except KeyError:
            return {"@type": packed.type_url, "value": base64.b64encode(packed.value).decode("ascii")}
        message = message_factory.GetMessageClass(descriptor).FromString(packed.value)
        encoded = self.message(descriptor)(message)
        return {"@type": packed.type_url, **(encoded if isinstance(encoded, dict) else {"value": encoded})}


def _list(encode: Encode | None) -> Encode:
    return list if encode is None else lambda values: [encode(value) for value in values]


def _map(encode: Encode | None) -> Encode:
    def encode_all(entries: Mapping[Any, Any]) -> object:
        keys: Iterable[Any] = sorted(entries) if len(entries) > 1 else entries
        return {_key(key): entries[key] if encode is None else encode(entries[key]) for key in keys}

    return encode_all


def _key(key: object) -> str:
    return key if isinstance(key, str) else quote(key)

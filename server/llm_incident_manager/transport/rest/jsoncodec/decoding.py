"""From parsed JSON to the arguments of a message constructor, compiled per message type; collects every problem.

Fields answer to their proto name and to their lowerCamelCase name. Nothing unknown is dropped silently. It parses no
text and builds no message.
"""

import difflib
from collections.abc import Iterable, Iterator
from itertools import chain

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from llm_incident_manager.transport.checker.rules import QUOTED, quote
from llm_incident_manager.transport.rest.jsoncodec import enums, scalars, wellknown
from llm_incident_manager.transport.rest.jsoncodec.problems import Problem, Rule, Unacceptable, wrong
from llm_incident_manager.transport.rest.jsoncodec.scalars import Convert
from llm_incident_manager.transport.rest.jsoncodec.text import MOST_ELEMENTS

Arguments = dict[str, object]
"""Keyword arguments of a message constructor: nested messages as dicts of the same kind."""

_HINTS = 10
"""Unknown fields that get a suggestion; looking for one takes a millisecond."""


class Decoder:
    """Decodes one message type."""

    __slots__ = ("_fields", "_oneofs", "descriptor")

    def __init__(self, descriptor: Descriptor) -> None:
        """Use `Decoders.of`, which knows how to share decoders among types that contain each other."""
        self.descriptor = descriptor
        self._fields: dict[str, tuple[str, Convert]] = {}
        self._oneofs: dict[str, str] = {}

    def add(self, field: FieldDescriptor, convert: Convert) -> None:
        """Makes a field known under both its names."""
        self._fields[field.name] = self._fields[field.json_name] = (field.name, convert)
        if field.containing_oneof is not None and len(field.containing_oneof.fields) > 1:
            self._oneofs[field.name] = field.containing_oneof.name

    def __call__(self, value: object) -> Arguments:
        """The constructor's arguments for a JSON object.

        Raises:
            Unacceptable: with every problem found, paths relative to this message.
        """
        if type(value) is not dict:
            raise wrong(Rule.TYPE, "be an object", value)
        arguments: Arguments = {}
        problems: list[Problem] = []
        known = self._fields
        for key, item in value.items():
            entry = known.get(key)
            if entry is None:
                problems.append(self._unknown(key, hint=len(problems) < _HINTS))
                continue
            name, convert = entry
            if name in arguments:
                problems.append(Problem(name, f"is given twice, once as {key}; keep one", Rule.GIVEN_TWICE))
            if item is None:
                continue
            try:
                arguments[name] = convert(item)
            except Unacceptable as refused:
                problems.extend(refused.below(name))
        if self._oneofs:
            problems.extend(self._conflicts(arguments))
        if problems:
            raise Unacceptable(problems)
        return arguments

    def _unknown(self, key: str, *, hint: bool) -> Problem:
        near = difflib.get_close_matches(key[:QUOTED], self._fields, n=1) if hint else []
        remedy = f"; did you mean {near[0]}?" if near else ""
        return Problem(key[:QUOTED], f"is no field of {self.descriptor.name}{remedy}", Rule.UNKNOWN_FIELD)

    def _conflicts(self, arguments: Arguments) -> Iterator[Problem]:
        """At most one field of a oneof may be given."""
        taken: dict[str, str] = {}
        for name in arguments:
            oneof = self._oneofs.get(name)
            if oneof is not None and taken.setdefault(oneof, name) != name:
                yield Problem(name, f"cannot be given together with {taken[oneof]}", Rule.ONEOF)


class Decoders:
    """Makes and shares the decoders of message types, recursive ones included."""

    def __init__(self) -> None:
        self._decoders: dict[str, Decoder] = {}

    def of(self, descriptor: Descriptor) -> Decoder:
        """The decoder of a message type that is written as a JSON object of its fields."""
        decoder = self._decoders.get(descriptor.full_name)
        if decoder is None:
            decoder = self._decoders[descriptor.full_name] = Decoder(descriptor)
            for field in descriptor.fields:
                decoder.add(field, self.field(field))
        return decoder

    def field(self, field: FieldDescriptor) -> Convert:
        """From a JSON value to the argument for a whole field: one value, a list or a map."""
        if not field.is_repeated:
            return self.value(field)
        entry = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
            return map_of(scalars.text_parser(key), self.value(value))
        return list_of(self.value(field))

    def value(self, field: FieldDescriptor) -> Convert:
        """From a JSON value to one value of a field, whether the field is repeated or not."""
        if field.enum_type is not None:
            return enums.spelling(field.enum_type).number
        message = field.message_type
        return scalars.parser(field) if message is None else self.message(message)

    def message(self, message: Descriptor) -> Convert:
        """From a JSON value to the argument for a message, well-known types included."""
        if message.full_name in wellknown.WRAPPERS:
            return _wrapped(self.value(message.fields_by_name["value"]))
        return wellknown.PARSERS.get(message.full_name) or self.of(message)


def _wrapped(convert: Convert) -> Convert:
    return lambda value: {"value": convert(value)}


def list_of(convert: Convert) -> Convert:
    def convert_all(value: object) -> object:
        if type(value) is not list:
            raise wrong(Rule.TYPE, "be an array", value)
        _bound(value)
        try:
            return [convert(item) for item in value]
        except Unacceptable:
            raise Unacceptable(_problems((f"[{i}]", convert, item) for i, item in enumerate(value))) from None

    return convert_all


def map_of(parse_key: Convert, convert: Convert) -> Convert:
    def convert_all(value: object) -> object:
        if type(value) is not dict:
            raise wrong(Rule.TYPE, "be an object", value)
        _bound(value)
        try:
            entries = {parse_key(key): convert(item) for key, item in value.items()}
        except Unacceptable:
            keys = ((f"[{quote(key)}]", parse_key, key) for key in value)
            items = ((f"[{quote(key)}]", convert, item) for key, item in value.items())
            raise Unacceptable(_problems(chain(keys, items))) from None
        if len(entries) < len(value):
            raise wrong(Rule.GIVEN_TWICE, "name each key once", value)
        return entries

    return convert_all


def _bound(value: list[object] | dict[str, object]) -> None:
    if len(value) > MOST_ELEMENTS:
        text = f"must have at most {MOST_ELEMENTS} elements; got {len(value)}"
        raise Unacceptable([Problem("", text, Rule.RANGE)])


def _problems(attempts: Iterable[tuple[str, Convert, object]]) -> Iterator[Problem]:
    """Every problem of several elements, each under its own path."""
    for path, convert, value in attempts:
        try:
            convert(value)
        except Unacceptable as refused:
            yield from refused.below(path)

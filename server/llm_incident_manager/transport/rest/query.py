"""Query parameters to the arguments of a request message.

`a=1`, `list=x&list=y`, `message.field=v`, `map[key]=v`; names in snake_case or lowerCamelCase. The parameters are put
into the shape of a JSON object and decoded by the JSON codec's decoder reading text, so both say the same of a bad
value. It does not know which fields the path or the body have taken: bindings.py does.
"""

import re
from collections.abc import Callable, Collection
from urllib.parse import parse_qsl

from google.protobuf.descriptor import FieldDescriptor

from llm_incident_manager.transport.rest.jsoncodec import enums, scalars, text, wellknown
from llm_incident_manager.transport.rest.jsoncodec.decoding import Decoders, list_of, map_of
from llm_incident_manager.transport.rest.jsoncodec.problems import Problem, Rule, Unacceptable, wrong
from llm_incident_manager.transport.rest.jsoncodec.scalars import Convert

MAX_PARAMETERS = 1_000
"""Most parameters of one request."""

Tree = dict[str, object]
"""Parameters by name; a value is the list of texts given, or a Tree of what is below the name."""

_NAME = re.compile(r"([^\[\]]+)(?:\[([^\[\]]*)\])?")


def parse(query: str, ignored: Collection[str] = ()) -> Tree:
    """The parameters of a raw query string, as a tree; without the `ignored` ones, which are not for the method.

    Raises:
        Unacceptable: too many parameters, escapes that are not UTF-8, or a name that is no field path; names all.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeDecodeError:
        raise Unacceptable([Problem("query", "must be UTF-8 once its escapes are decoded", Rule.FORMAT)]) from None
    except ValueError:
        raise Unacceptable([Problem("query", f"must have at most {MAX_PARAMETERS} parameters", Rule.RANGE)]) from None
    tree: Tree = {}
    problems: list[Problem] = []
    for name, value in pairs:
        if name in ignored:
            continue
        try:
            _add(tree, name, value)
        except Unacceptable as refused:
            problems.extend(refused.problems)
    if problems:
        raise Unacceptable(problems)
    return tree


def _add(tree: Tree, name: str, value: str) -> None:
    found = _NAME.fullmatch(name)
    steps = [*found.group(1).split("."), *([] if found.group(2) is None else [found.group(2)])] if found else [""]
    if "" in steps[:-1] or not steps[0]:
        raise Unacceptable([Problem(name[:64], "is no field path, as a, a.b or a[key]", Rule.UNKNOWN_FIELD)])
    for step in steps[:-1]:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            raise _both(step)
        tree = below
    values = tree.setdefault(steps[-1], [])
    if not isinstance(values, list):
        raise _both(steps[-1])
    values.append(value)


def _both(name: str) -> Unacceptable:
    return Unacceptable([Problem(name, "is given a value and fields; keep one", Rule.GIVEN_TWICE)])


class TextDecoders(Decoders):
    """Decoders of parameter trees: every leaf is the list of texts given under its name."""

    def field(self, field: FieldDescriptor) -> Convert:
        """From a tree node to the argument for a whole field."""
        entry = field.message_type
        if field.is_repeated and entry is not None and entry.GetOptions().map_entry:
            key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
            return map_of(scalars.text_parser(key), self._one(value))
        return list_of(self.value(field)) if field.is_repeated else self._one(field)

    def value(self, field: FieldDescriptor) -> Convert:
        """From one text to one value of a field; messages that are no single value refuse."""
        if field.enum_type is not None:
            return _text(enums.spelling(field.enum_type).from_text)
        message = field.message_type
        if message is None:
            return scalars.text_parser(field)
        if message.full_name in wellknown.STRUCTURED:
            return _json(wellknown.PARSERS[message.full_name])
        return self.message(message)

    def _one(self, field: FieldDescriptor) -> Convert:
        message = field.message_type
        convert = self.value(field)
        if message is not None and message.full_name not in wellknown.PARSERS.keys() | wellknown.WRAPPERS:
            return convert  # a message of fields: takes the tree below its name, and refuses a text
        return _single(convert)


TEXT_DECODERS = TextDecoders()
"""The text decoders of the process."""


def _single(convert: Convert) -> Convert:
    """The one text of a field that holds one value."""

    def convert_one(value: object) -> object:
        if not isinstance(value, list):
            raise Unacceptable([Problem("", "has no fields or keys: give it one value", Rule.TYPE)])
        if len(value) != 1:
            raise Unacceptable([Problem("", f"is given {len(value)} times; keep one", Rule.GIVEN_TWICE)])
        return convert(value[0])

    return convert_one


def _text(parse_text: Callable[[str], object]) -> Convert:
    def convert(value: object) -> object:
        assert isinstance(value, str)  # the leaves of a Tree are
        return parse_text(value)

    return convert


def _json(parse_value: Convert) -> Convert:
    def parse_text(given: str) -> object:
        try:
            return parse_value(text.loads(given.encode()))
        except text.MalformedJson:
            raise wrong(Rule.FORMAT, "be JSON", given) from None

    return _text(parse_text)

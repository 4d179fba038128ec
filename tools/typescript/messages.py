"""Messages as interfaces and enums as unions of their short names, a file for every .proto file."""

from collections.abc import Iterable, Iterator, Mapping

from buf.validate import validate_pb2 as validate
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, FileDescriptor

from llm_incident_manager.transport.rest.jsoncodec import enums, scalars

PACKAGE = "incidentmanager.v1."
MARK = "// Written by `make gen` from proto/: edit that."
_SHARED = {
    "google.protobuf.Timestamp": "Timestamp",
    "google.protobuf.Duration": "Duration",
    "google.protobuf.FieldMask": "FieldMask",
    "google.protobuf.Struct": "Struct",
    "google.protobuf.Any": "Any",
}
"""Google's types that json.d.ts has."""
_SCALARS = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BOOL: "boolean",
    FieldDescriptor.TYPE_BYTES: "Bytes",
    FieldDescriptor.TYPE_DOUBLE: "Double",
    FieldDescriptor.TYPE_FLOAT: "Double",
}

Comments = Mapping[str, str]


class CannotTell(Exception):
    """The contract has something that this tool has no TypeScript for; it says what."""


def module_of(file: FileDescriptor) -> str:
    """The name of the module that stands for a .proto file: `incidentmanager/v1/event.proto` gives `event`."""
    return file.name.rpartition("/")[2].removesuffix(".proto")


def module(file: FileDescriptor, comments: Comments) -> str:
    """The module of a file."""
    body: list[str] = []
    for enum in file.enum_types_by_name.values():
        body += _enum(enum, comments)
    for message in file.message_types_by_name.values():
        body += _interface(message, comments)
    return "\n".join([MARK, *_imports(file), *body, ""])


def type_name(message: Descriptor) -> str:
    """What a message is in TypeScript: an interface of ours, or an alias of json.d.ts. Raises CannotTell."""
    if message.full_name.startswith(PACKAGE):
        return message.name
    if message.full_name not in _SHARED:
        raise CannotTell(f"{message.full_name} has no TypeScript here")
    return _SHARED[message.full_name]


def doc(text: str, indent: str = "") -> Iterator[str]:
    """A comment as editors show it, on lines of at most 120 characters."""
    if not text:
        return
    words, line, lines = text.replace("*/", "* /").split(), "", []
    for word in words:
        if line and len(indent) + len(line) + len(word) > 110:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    if len(lines) == 1:
        yield f"{indent}/** {lines[0]} */"
    else:
        yield from (f"{indent}/**", *(f"{indent} * {one}" for one in lines), f"{indent} */")


def _imports(file: FileDescriptor) -> Iterator[str]:
    wanted: dict[str, set[str]] = {}
    for message in file.message_types_by_name.values():
        for named in _named(message):
            if named.file.name != file.name:
                ours = named.full_name.startswith(PACKAGE)
                place = module_of(named.file) if ours else "json"
                wanted.setdefault(place, set()).add(named.name if ours else _SHARED.get(named.full_name, named.name))
        wanted.setdefault("json", set()).update(_aliases(message))
    if any(wanted.values()):
        yield ""
    for place, names in sorted(wanted.items()):
        if names:
            yield f'import type {{ {", ".join(sorted(names))} }} from "./{place}.js";'


def _named(message: Descriptor) -> Iterator[Descriptor | EnumDescriptor]:
    """The types that the fields of a message have, through maps."""
    for field in message.fields:
        one = _value_field(field)
        named = one.message_type or one.enum_type
        if named is not None:
            yield named


def _aliases(message: Descriptor) -> Iterator[str]:
    for field in message.fields:
        name = _one(_value_field(field), _rules(field))
        if name in ("Bytes", "Double", "Int64"):
            yield name


def _enum(enum: EnumDescriptor, comments: Comments) -> Iterator[str]:
    names = enums.spelling(enum).names
    yield ""
    yield from doc(comments.get(enum.name, ""))
    yield f"export type {enum.name} ="
    values = [(names[value.number], comments.get(f"{enum.name}.{value.name}", "")) for value in enum.values]
    for at, (name, told) in enumerate(values):
        yield from doc(told, "  ")
        yield f'  | "{name}"{";" if at == len(values) - 1 else ""}'


def _interface(message: Descriptor, comments: Comments) -> Iterator[str]:
    if any(not nested.GetOptions().map_entry for nested in message.nested_types) or message.enum_types:
        raise CannotTell(f"{message.full_name} has types inside: give them a place of their own")
    yield ""
    yield from doc(comments.get(message.name, ""))
    yield f"export interface {message.name} {{"
    for field in message.fields:
        yield from doc(comments.get(f"{message.name}.{field.name}", ""), "  ")
        yield f"  {field.name}{'?' if field.has_presence else ''}: {field_type(field)};"
    yield "}"


def field_type(field: FieldDescriptor) -> str:
    """The type of a whole field: one value, a list or a map."""
    one = _one(_value_field(field), _rules(field))
    if _is_map(field):
        return f"Record<string, {one}>"
    return f"{one}[]" if field.is_repeated else one


def _one(field: FieldDescriptor, rules: validate.FieldRules) -> str:
    if field.message_type is not None:
        return type_name(field.message_type)
    if field.enum_type is not None:
        return str(field.enum_type.name)
    if field.type in scalars.INTEGERS:
        low, high = scalars.INTEGERS[field.type]
        return "Int64" if high - low > 2**32 else "number"
    if rules.double.finite or rules.float.finite:
        return "number"
    return _SCALARS[field.type]


def _rules(field: FieldDescriptor) -> validate.FieldRules:
    """The rules of a field's single values."""
    rules: validate.FieldRules = field.GetOptions().Extensions[validate.field]
    if _is_map(field):
        return rules.map.values
    return rules.repeated.items if field.is_repeated else rules


def _is_map(field: FieldDescriptor) -> bool:
    return _value_field(field) is not field


def _value_field(field: FieldDescriptor) -> FieldDescriptor:
    """The field itself; of a map, the field of its values."""
    entry = field.message_type
    return entry.fields_by_name["value"] if entry is not None and entry.GetOptions().map_entry else field


def reached(roots: Iterable[Descriptor]) -> list[FileDescriptor]:
    """The files of ours that hold what the roots are made of, by name."""
    files: dict[str, FileDescriptor] = {}
    waiting, seen = list(roots), set[str]()
    while waiting:
        message = waiting.pop()
        if message.full_name in seen or not message.full_name.startswith(PACKAGE):
            continue
        seen.add(message.full_name)
        files[message.file.name] = message.file
        for named in _named(message):
            if isinstance(named, Descriptor):
                waiting.append(named)
            elif named.full_name.startswith(PACKAGE):
                files[named.file.name] = named.file
    return [files[name] for name in sorted(files)]

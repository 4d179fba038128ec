"""Messages and enums as Markdown tables: type, rules and meaning of every field."""

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from llm_incident_manager.transport.checker import plan
from llm_incident_manager.transport.rest.jsoncodec import enums
from llm_incident_manager.transport.rest.jsoncodec.schema import required_fields
from llm_incident_manager.transport.rest.openapi import hints

PACKAGE = "incidentmanager.v1."
_TYPES = {
    getattr(FieldDescriptor, f"TYPE_{name.upper()}"): name
    for name in ("double", "float", "int64", "uint64", "int32", "uint32", "bool", "string", "bytes")
}
_OBVIOUS = ("not contain", "be one of")
"""Rules that every text and every enum has: told once, above the tables."""


def reachable(roots: Iterable[Descriptor]) -> tuple[list[Descriptor], list[EnumDescriptor]]:
    """Our messages and enums below the roots, each sorted by name."""
    messages: dict[str, Descriptor] = {}
    found: dict[str, EnumDescriptor] = {}
    waiting = list(roots)
    while waiting:
        message = waiting.pop()
        if not message.full_name.startswith(PACKAGE) or message.full_name in messages:
            continue
        if not message.GetOptions().map_entry:
            messages[message.full_name] = message
        waiting.extend(field.message_type for field in message.fields if field.message_type is not None)
        found.update({f.enum_type.full_name: f.enum_type for f in message.fields if f.enum_type is not None})
    return [messages[name] for name in sorted(messages)], [found[name] for name in sorted(found)]


def message_table(message: Descriptor, comments: dict[str, str]) -> Iterator[str]:
    """The section of a message."""
    yield from ("", f"### {message.name}", "", comments[message.name])
    if message.fields:
        yield from ("", "| field | type | rules | meaning |", "| --- | --- | --- | --- |")
    rules = _rules(message)
    for field in message.fields:
        told = cell(comments[f"{message.name}.{field.name}"])
        yield f"| `{field.name}` | {_type(field)} | {cell('; '.join(rules[field.name]))} | {told} |"


def enum_table(enum: EnumDescriptor, comments: dict[str, str]) -> Iterator[str]:
    """The section of an enum, with the values as REST prints them."""
    names = enums.spelling(enum).names
    yield from ("", f"### {enum.name}", "", comments[enum.name], "", "| REST | gRPC | meaning |", "| --- | --- | --- |")
    for value in enum.values:
        told = cell(comments[f"{enum.name}.{value.name}"])
        yield f"| `{names[value.number]}` | `{value.name}` = {value.number} | {told} |"


def cell(text: str) -> str:
    """A text that does not break its table."""
    return text.replace("|", "\\|").replace("\n", " ")


def _type(field: FieldDescriptor) -> str:
    entry = field.message_type
    if entry is not None and entry.GetOptions().map_entry:
        key, value = entry.fields_by_name["key"], entry.fields_by_name["value"]
        return f"map of {_bare(key)} to {_bare(value)}"
    return f"list of {_bare(field)}" if field.is_repeated else _bare(field)


def _bare(field: FieldDescriptor) -> str:
    named = field.message_type or field.enum_type
    if named is None:
        return _TYPES[field.type]
    ours = named.full_name.startswith(PACKAGE)
    return f"[{named.name}](#{named.name.lower()})" if ours else named.full_name.removeprefix("google.protobuf.")


def _rules(message: Descriptor) -> dict[str, list[str]]:
    """The rules of every field, in the words of the checker's messages."""
    required = required_fields(message)
    found: dict[str, list[str]] = {field.name: [] for field in message.fields}
    for field in message.fields:
        if field.name in required:
            found[field.name].append("required")
        if hints.is_read_only(field):
            found[field.name].append("set by the server")
    for planned in plan.plan_all(message)[message.full_name].fields:
        several = planned.shape is not plan.Shape.SINGLE
        each = "values " if planned.shape is plan.Shape.MAP else "items " if several else ""
        rules = (("", planned.whole), ("keys ", planned.keys.rules), (each, planned.value.rules))
        told = [before + rule.demand for before, group in rules for rule in group]
        found[planned.name] += [text for text in told if not any(word in text for word in _OBVIOUS)]
    return found

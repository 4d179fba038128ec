"""`python -m tools.graphql_schema` writes the part of the GraphQL schema that the contract gives; `--check` fails with
a diff when it is stale. What is beside it, connections and subscriptions, is written by hand in doors.graphql."""

import argparse
import sys
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from incidentmanager.v1 import event_pb2, incident_attachments_pb2, incident_pb2, incident_relations_pb2

from llm_incident_manager.transport import methods
from llm_incident_manager.transport.graphql import contract
from llm_incident_manager.transport.graphql.contract import Root
from llm_incident_manager.transport.rest.jsoncodec import enums
from llm_incident_manager.transport.rest.jsoncodec.schema import required_fields
from llm_incident_manager.transport.rest.openapi import texts
from tools import shell
from tools.apidocs import files

PATH = shell.ROOT / "server/llm_incident_manager/transport/graphql/contract.graphql"
HEAD = "# Written by `make gen` from the .proto files; what is written by hand is in doors.graphql.\n"
_BY_HAND: tuple[type[Message], ...] = (
    incident_pb2.IncidentChange,
    incident_pb2.TimelineEntry,
    incident_relations_pb2.RelatedIncident,
    incident_attachments_pb2.Attachment,
    event_pb2.EventRecord,
)
"""What only doors.graphql mentions."""


class Sdl:
    """The definitions, each written once."""

    def __init__(self) -> None:
        """Nothing is defined yet."""
        self._types: dict[str, str] = {}

    def whole(self) -> str:
        """The text of the file."""
        roots = list(contract.roots(methods.all_methods()))
        fields = {
            name: [self._root(root) for root in roots if root.operation == name] for name in ("Query", "Mutation")
        }
        for kind in _BY_HAND:
            self._object(_descriptor(kind))
        definitions = [_block("type", name, each) for name, each in fields.items()]
        definitions += [self._types[name] for name in sorted(self._types)]
        return HEAD + "\n" + "\n\n".join(definitions) + "\n"

    def _root(self, root: Root) -> str:
        """A field that calls a method."""
        request = root.method.descriptor.input_type
        required = required_fields(request)
        given = [
            f"{_told(texts.about(field), 4)}    {name}: {self._given(field, required=field.name in required)}"
            for name, field in root.arguments.items()
        ]
        listed = "(\n" + "\n".join(given) + "\n  )" if given else ""
        part = root.part
        reply = self._answered(part) if part is not None else self._object(root.method.descriptor.output_type)
        # A field that fails is null, and takes none of those beside it along.
        reply = reply.removesuffix("!")
        return f"{_told(texts.about(root.method.descriptor), 2)}  {root.name}{listed}: {reply}"

    def _answered(self, field: FieldDescriptor) -> str:
        """The type of a field of an answer."""
        self._define(field, given=False)
        return _typed(field, contract.type_name(field), absent=contract.may_be_absent(field))

    def _given(self, field: FieldDescriptor, *, required: bool) -> str:
        """The type of an argument, or of a field of one."""
        self._define(field, given=True)
        name = contract.type_name(field, given=True)
        name = f"[{name}!]" if field.is_repeated and not contract.is_map(field) else name
        return f"{name}!" if required else name

    def _define(self, field: FieldDescriptor, *, given: bool) -> None:
        if field.enum_type is not None:
            self._enum(field.enum_type)
        elif contract.is_object(field):
            assert field.message_type is not None
            (self._input if given else self._object)(field.message_type)

    def _object(self, message: Descriptor) -> str:
        name = message.name
        if name not in self._types:
            self._types[name] = ""  # known before its fields are, since types may contain themselves
            fields = [f"{_told(texts.about(f), 2)}  {f.json_name}: {self._answered(f)}" for f in message.fields]
            self._types[name] = _told(texts.about(message), 0) + _block("type", name, fields)
        return name

    def _input(self, message: Descriptor) -> None:
        name = f"{message.name}Input"
        if name not in self._types:
            self._types[name] = ""
            required = required_fields(message)
            fields = [
                f"{_told(texts.about(f), 2)}  {f.json_name}: {self._given(f, required=f.name in required)}"
                for f in message.fields
            ]
            self._types[name] = _told(texts.about(message), 0) + _block("input", name, fields)

    def _enum(self, enum: EnumDescriptor) -> None:
        names = enums.spelling(enum).names
        values = [f"{_told(texts.about_value(v), 2)}  {names[v.number]}" for v in enum.values if v.number]
        self._types[enum.name] = _told(texts.about(enum), 0) + _block("enum", enum.name, values)


def _descriptor(kind: type[Message]) -> Descriptor:
    found: Any = kind.DESCRIPTOR
    assert isinstance(found, Descriptor)
    return found


def _typed(field: FieldDescriptor, name: str, *, absent: bool) -> str:
    if field.is_repeated and not contract.is_map(field):
        return f"[{name}!]!"
    return name if absent else f"{name}!"


def _block(kind: str, name: str, lines: list[str]) -> str:
    return f"{kind} {name} {{\n" + "\n".join(lines) + "\n}"


def _told(text: str, indent: int) -> str:
    """A description, on a line of its own."""
    if not text:
        return ""
    space = " " * indent
    safe = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'{space}"{safe}"\n'


def main() -> int:
    """Returns the exit code: 1 when `--check` finds the file stale."""
    parser = argparse.ArgumentParser(prog="python -m tools.graphql_schema", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail with a diff when the file is stale; write nothing")
    wanted: dict[Path, str] = {PATH: Sdl().whole()}
    if not parser.parse_args().check:
        files.install(wanted)
        return 0
    stale = files.stale(wanted)
    if stale:
        print("\n".join(stale))
        print("contract.graphql is not what the .proto files give: run `make gen`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

"""The comments of the .proto files by the name of what they stand above: generated code has none."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet

from tools import generate

PACKAGE = "incidentmanager.v1."
_IGNORE = "buf:lint:ignore"


def read() -> dict[str, str]:
    """Comments by full name without the package, for instance "Event.title" or "IngestService.SubmitEvent".

    Raises:
        ProtocFailed: protoc refused the sources, and has already said why.
    """
    names = sorted(str(path.relative_to(generate.PROTO)) for path in generate.PROTO.glob("incidentmanager/**/*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        generate.protoc(Path(folder), ("--descriptor_set_out={out}/set", "--include_source_info"), names)
        files = FileDescriptorSet.FromString((Path(folder) / "set").read_bytes()).file
    return {name: text for file in files for name, text in _of_file(file) if text}


def _of_file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    """A location's path is numbers of fields and indexes alternately, as descriptor.proto says."""
    texts = {tuple(place.path): clean(place.leading_comments) for place in file.source_code_info.location}
    for i, message in enumerate(file.message_type):
        for path, name in _in_message((4, i), message):
            yield name, texts.get(path, "")
    for i, enum in enumerate(file.enum_type):
        for path, name in _in_enum((5, i), enum):
            yield name, texts.get(path, "")
    for i, service in enumerate(file.service):
        yield service.name, texts.get((6, i), "")
        for j, method in enumerate(service.method):
            yield f"{service.name}.{method.name}", texts.get((6, i, 2, j), "")


def _in_message(path: tuple[int, ...], message: DescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, message.name
    for i, field in enumerate(message.field):
        yield (*path, 2, i), f"{message.name}.{field.name}"
    for i, nested in enumerate(message.nested_type):
        yield from _below(message.name, _in_message((*path, 3, i), nested))
    for i, enum in enumerate(message.enum_type):
        yield from _below(message.name, _in_enum((*path, 4, i), enum))


def _in_enum(path: tuple[int, ...], enum: EnumDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, enum.name
    for i, value in enumerate(enum.value):
        yield (*path, 2, i), f"{enum.name}.{value.name}"


def _below(name: str, found: Iterator[tuple[Any, str]]) -> Iterator[tuple[Any, str]]:
    return ((path, f"{name}.{inner}") for path, inner in found)


def clean(comment: str) -> str:
    """One paragraph; without lint exceptions and the line above them, which gives their reason."""
    lines = [line.strip() for line in comment.strip().splitlines()]
    ignored = next((i for i, line in enumerate(lines) if line.startswith(_IGNORE)), None)
    if ignored is not None:
        lines = lines[: max(1, ignored - 1)]
    return " ".join(line for line in lines if line)

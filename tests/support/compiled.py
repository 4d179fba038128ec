"""Compiles the small schemas of tests/support/protos when a test asks for one; nothing generated is kept."""

import functools
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

from buf.validate import validate_pb2
from google.api import annotations_pb2
from google.protobuf import (
    any_pb2,
    descriptor_pool,
    empty_pb2,
    field_mask_pb2,
    message_factory,
    struct_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import Message

ROOT = Path(__file__).resolve().parents[2]
PROTOS = Path(__file__).with_name("protos")
# What the schemas import must be in the pool first.
IMPORTS = (annotations_pb2, any_pb2, empty_pb2, field_mask_pb2, struct_pb2, validate_pb2, wrappers_pb2)


@functools.cache
def file(name: str) -> FileDescriptor:
    """The descriptor of tests/support/protos/`name`, with its options readable."""
    return _compile(PROTOS, name)


def from_source(source: str, name: str) -> FileDescriptor:
    """The descriptor of a schema given as text; `name` must be new to the process."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).write_text(source, "utf-8")
        return _compile(Path(folder), name)


def message_class(name: str, full_name: str) -> type[Message]:
    """A message class of the schema `name`."""
    return message_factory.GetMessageClass(file(name).pool.FindMessageTypeByName(full_name))


def _compile(folder: Path, name: str) -> FileDescriptor:
    with tempfile.TemporaryDirectory() as out:
        descriptor_set = Path(out, "set.binpb")
        paths = [f"-I{folder}", f"-I{ROOT / 'proto' / 'third_party'}"]
        command = [sys.executable, "-m", "grpc_tools.protoc", *paths, f"--descriptor_set_out={descriptor_set}", name]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        files = FileDescriptorSet.FromString(descriptor_set.read_bytes()).file
    pool = descriptor_pool.Default()
    for each in files:
        pool.AddSerializedFile(each.SerializeToString())
    return pool.FindFileByName(name)


_numbers = itertools.count(1)


def message_with(*fields: FieldDescriptorProto) -> Descriptor:
    """A message type made in memory, with fields `f1`, `f2`, … in the given order."""
    name = f"Made{next(_numbers)}"
    made = FileDescriptorProto(name=f"{name}.proto", package="made", syntax="proto3")
    made.dependency.append("buf/validate/validate.proto")
    message = made.message_type.add(name=name)
    for number, field in enumerate(fields, 1):
        message.field.add().CopyFrom(field)
        message.field[-1].name, message.field[-1].number = f"f{number}", number
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(made.SerializeToString())
    return pool.FindMessageTypeByName(f"made.{name}")


def field_with(
    rules: validate_pb2.FieldRules, kind: str = "TYPE_STRING", label: str = "LABEL_OPTIONAL"
) -> FieldDescriptorProto:
    """A field for `message_with`."""
    field = FieldDescriptorProto(
        type=FieldDescriptorProto.Type.Value(kind), label=FieldDescriptorProto.Label.Value(label)
    )
    field.options.Extensions[validate_pb2.field].CopyFrom(rules)
    return field

"""Names the texts of a message that steer a terminal or hide what they say, which the contract has no rule for."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from llm_incident_manager.domain import controls
from llm_incident_manager.domain.disposition import Violation

_STEERING_BYTES = (b"\x1b", b"\x7f", b"\xc2", b"\xe2")
"""In UTF-8 each such character, but harmless ones below ESC, has one of these; to look for a byte costs nothing."""


def steering(message: Message, data: bytes) -> tuple[Violation, ...]:
    """Violations of a message whose bytes are `data`, most often none."""
    if not any(byte in data for byte in _STEERING_BYTES):
        return ()
    return tuple(violations(message))


def violations(message: Message, prefix: str = "") -> Iterator[Violation]:
    """Every text that steers, by its path."""
    for field, value in message.ListFields():
        yield from _of_field(field, value, f"{prefix}{field.name}")


def _of_field(field: FieldDescriptor, value: Any, path: str) -> Iterator[Violation]:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        for key, entry in value.items():
            texts = [text for text in (key, entry) if isinstance(text, str)]
            if controls.any_steers(texts):
                yield _violation(path)
    elif kind is not None:
        for place, each in enumerate(value if field.is_repeated else (value,)):
            yield from violations(each, f"{path}[{place}]." if field.is_repeated else f"{path}.")
    elif field.type == FieldDescriptor.TYPE_STRING and controls.any_steers(value if field.is_repeated else (value,)):
        yield _violation(path)


def _violation(path: str) -> Violation:
    return Violation(path, controls.explained(path), controls.RULE)

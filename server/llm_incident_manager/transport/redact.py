"""Hides secrets in requests before anything else sees them: what is not there cannot be stored, logged or sent on."""

import hashlib
from collections.abc import Callable
from enum import Enum, auto
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from llm_incident_manager.domain.redaction import HIDDEN, Shapes
from llm_incident_manager.domain.secret_names import is_secret

_EXEMPT = frozenset({"page_token", "resume_token", "filter", "order_by", "etag"})
"""Fields that are of our own making, or only compared with what is stored."""
_NAMES = frozenset({"idempotency_key", "dedup_key", "request_id", "producer_id"})
"""Fields that tell things apart: two secrets must not become one name."""


class _Holds(Enum):
    """What a field may have to hide."""

    NOTHING = auto()
    TEXT = auto()
    TEXTS = auto()
    MESSAGE = auto()
    MESSAGES = auto()
    MAP = auto()


@cache
def _holds(field: FieldDescriptor) -> _Holds:
    kind = field.message_type
    if field.name in _EXEMPT or (kind is None and field.type != FieldDescriptor.TYPE_STRING):
        return _Holds.NOTHING
    if kind is None:
        return _Holds.TEXTS if field.is_repeated else _Holds.TEXT
    if kind.GetOptions().map_entry:
        return _Holds.MAP
    return _Holds.MESSAGES if field.is_repeated else _Holds.MESSAGE


def _value_of(entries: FieldDescriptor) -> FieldDescriptor:
    assert entries.message_type is not None
    return entries.message_type.fields_by_name["value"]


class Redactor:
    """Hides what the shapes say."""

    def __init__(self, shapes: Shapes, count: Callable[[int], None] = lambda _: None) -> None:
        """`count` is told how many fields of a request were changed, if any."""
        self._shapes = shapes
        self._count = count

    def redact(self, message: Message) -> bytes:
        """Hides in place; returns the bytes of the message as it came. One without secrets costs its serialisation and
        one look at each byte."""
        data = message.SerializeToString()
        if self._shapes.maybe_in(data):
            changed = self._walk(message)
            if changed:
                self._count(changed)
        return data

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._shapes.hide(text)

    def _walk(self, message: Message) -> int:
        """How many fields were changed."""
        return sum(self._field(message, field, value) for field, value in message.ListFields())

    def _field(self, message: Message, field: FieldDescriptor, value: Any) -> int:
        match _holds(field):
            case _Holds.NOTHING:
                return 0
            case _Holds.TEXT:
                return self._text(message, field.name, value)
            case _Holds.TEXTS:
                return self._texts(value)
            case _Holds.MESSAGE:
                return self._walk(value)
            case _Holds.MESSAGES:
                return sum(map(self._walk, value))
            case _Holds.MAP:
                return self._map(_value_of(field), value)

    def _text(self, message: Message, name: str, value: str) -> int:
        shown = self._shown(name, value)
        if shown == value:
            return 0
        setattr(message, name, shown)
        return 1

    def _texts(self, values: Any) -> int:
        changed = 0
        for place, value in enumerate(values):
            if (shown := self.text(value)) != value:
                values[place] = shown
                changed += 1
        return changed

    def _map(self, of_values: FieldDescriptor, values: Any) -> int:
        """Values, for what they are and what their key says, and keys: of two that become the same the last stays."""
        if of_values.message_type is not None:  # such a value cannot be put under another key
            return sum(self._walk(value) for value in values.values())
        texts = of_values.type == FieldDescriptor.TYPE_STRING
        before = dict(values)
        shown = {self._key(key): self._under(key, value) if texts else value for key, value in before.items()}
        if shown == before:
            return 0
        values.clear()
        values.update(shown)
        return 1

    def _under(self, key: Any, value: str) -> str:
        return HIDDEN if isinstance(key, str) and is_secret(key, value) else self.text(value)

    def _key(self, key: Any) -> Any:
        return self.text(key) if isinstance(key, str) else key

    def _shown(self, name: str, value: str) -> str:
        shown = self.text(value)
        if shown == value or name not in _NAMES:
            return shown
        return f"[hidden:{hashlib.sha256(value.encode()).hexdigest()[:32]}]"

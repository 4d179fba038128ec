"""Hides secrets in requests before anything else sees them: what is not there cannot be stored, logged or sent on."""

import hashlib
from collections.abc import Callable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from llm_incident_manager.domain.redaction import Shapes

_EXEMPT = frozenset({"page_token", "resume_token", "filter", "order_by", "etag"})
"""Fields that are of our own making, or only compared with what is stored."""
_NAMES = frozenset({"idempotency_key", "dedup_key", "request_id", "producer_id"})
"""Fields that tell things apart: two secrets must not become one name."""


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
        kind = field.message_type
        if field.name in _EXEMPT or (kind is None and field.type != FieldDescriptor.TYPE_STRING):
            return 0
        if kind is not None and kind.GetOptions().map_entry:
            return self._map(kind.fields_by_name["value"], value)
        if kind is not None:
            return sum(self._walk(each) for each in (value if field.is_repeated else (value,)))
        if field.is_repeated:
            return self._texts(value)
        shown = self._shown(field.name, value)
        if shown == value:
            return 0
        setattr(message, field.name, shown)
        return 1

    def _texts(self, values: Any) -> int:
        changed = 0
        for place, value in enumerate(values):
            if (shown := self.text(value)) != value:
                values[place] = shown
                changed += 1
        return changed

    def _map(self, of_values: FieldDescriptor, values: Any) -> int:
        """Values, and keys: of two keys that become the same the last one stays."""
        if of_values.message_type is not None:  # such a value cannot be put under another key
            return sum(self._walk(value) for value in values.values())
        texts = of_values.type == FieldDescriptor.TYPE_STRING
        before = dict(values)
        shown = {self._key(key): self.text(value) if texts else value for key, value in before.items()}
        if shown == before:
            return 0
        values.clear()
        values.update(shown)
        return 1

    def _key(self, key: Any) -> Any:
        return self.text(key) if isinstance(key, str) else key

    def _shown(self, name: str, value: str) -> str:
        shown = self.text(value)
        if shown == value or name not in _NAMES:
            return shown
        return f"[hidden:{hashlib.sha256(value.encode()).hexdigest()[:32]}]"

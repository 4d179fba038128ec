"""The words of the schemas: comments of the contract, hints, and which messages take no other fields."""

from collections.abc import Iterable

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from llm_incident_manager.transport.methods import Method
from llm_incident_manager.transport.rest.jsoncodec import enums
from llm_incident_manager.transport.rest.jsoncodec.schema import Schema
from llm_incident_manager.transport.rest.openapi import hints, texts


class ContractWords:
    """What the contract's comments and the hints say, beside what the descriptors do."""

    def __init__(self, contract: Iterable[Method]) -> None:
        """Messages that requests hold are closed: the server refuses fields it does not know."""
        self._closed: set[str] = set()
        for method in contract:
            self._close(method.descriptor.input_type)

    def of_message(self, message: Descriptor) -> Schema:
        """The description, the hint, and that there are no other fields where requests hold the message."""
        closed: Schema = {"additionalProperties": False} if message.full_name in self._closed else {}
        return described(texts.about(message)) | closed | hints.MESSAGES.get(message.full_name, {})

    def of_field(self, field: FieldDescriptor) -> Schema:
        """The description, the hint, and that only the server sets it."""
        only = {"readOnly": True} if hints.is_read_only(field) else {}
        return described(texts.about(field)) | only | hints.FIELDS.get(field.full_name, {})

    def of_enum(self, enum: EnumDescriptor) -> Schema:
        """The description with a line for each value."""
        names = enums.spelling(enum).names
        lines = [f"- `{names[value.number]}`: {texts.about_value(value)}" for value in enum.values]
        return described("\n".join((texts.about(enum), "", *lines)))

    def _close(self, message: Descriptor) -> None:
        if message.full_name in self._closed:
            return
        self._closed.add(message.full_name)
        for field in message.fields:
            if field.message_type is not None:
                self._close(field.message_type)


def described(text: str) -> Schema:
    """The description, if there is one."""
    return {"description": text} if text else {}

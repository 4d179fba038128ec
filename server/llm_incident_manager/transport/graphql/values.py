"""From messages to what GraphQL answers, and from its arguments to requests. Built once for each field.

Scalars are printed as REST prints them. A word that is not told, an id of nothing and an unset message are null.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport.graphql import contract
from llm_incident_manager.transport.rest.jsoncodec import DECODERS, ENCODERS
from llm_incident_manager.transport.rest.jsoncodec.problems import Unacceptable

Show = Callable[[Any], object]
"""From a message to what one of its fields answers; messages are told apart by descriptors alone."""


def shower(field: FieldDescriptor) -> Show:
    """How a field of a message is answered."""
    read = attrgetter(field.name)
    if contract.is_map(field):
        return _shown(read, ENCODERS.field(field))
    if field.is_repeated:
        return _shown(read, list if contract.is_object(field) else ENCODERS.field(field) or list)
    if field.enum_type is not None:
        return _word(read, ENCODERS.field(field))
    encode = None if contract.is_object(field) else ENCODERS.field(field)
    if field.has_presence:
        return _present(field.name, read, encode)
    return (lambda message: read(message) or None) if contract.may_be_absent(field) else _shown(read, encode)


def _shown(read: Show, encode: Show | None) -> Show:
    return read if encode is None else lambda message: encode(read(message))


def _word(read: Show, encode: Show | None) -> Show:
    """The word of an enum, whose zero means that nothing is told."""
    assert encode is not None
    return lambda message: encode(number) if (number := read(message)) else None


def _present(name: str, read: Show, encode: Show | None) -> Show:
    shown = _shown(read, encode)
    return lambda message: shown(message) if message.HasField(name) else None


def request(kind: type[Message], fields: Mapping[str, object]) -> Message:
    """A request of these fields, as GraphQL has coerced them. Raises InvalidFields."""
    descriptor: Any = kind.DESCRIPTOR
    try:
        return kind(**DECODERS.of(descriptor)(dict(fields)))
    except Unacceptable as refused:
        raise InvalidFields(refused.violations()) from None

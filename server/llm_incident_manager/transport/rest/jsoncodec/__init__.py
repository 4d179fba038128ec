"""JSON to protobuf messages and back, one codec compiled per message type.

Out: proto field names, defaults printed, enums without their prefix, 64-bit integers as text, RFC 3339 times with Z.
In: either field name, enums in any spelling; unknown fields, doubles and wrong types are refused, all at once and by
path. It checks no validation rules: that is the checker's.
"""

import functools

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from llm_incident_manager.domain.errors import InvalidFields
from llm_incident_manager.transport.rest.jsoncodec import text
from llm_incident_manager.transport.rest.jsoncodec.decoding import Arguments, Decoders
from llm_incident_manager.transport.rest.jsoncodec.encoding import Encoders
from llm_incident_manager.transport.rest.jsoncodec.printed import Printed
from llm_incident_manager.transport.rest.jsoncodec.problems import Unacceptable

__all__ = ["DECODERS", "ENCODERS", "Arguments", "Codec", "codec"]

DECODERS = Decoders()
"""The decoders of the process: a compiled type is compiled once."""
ENCODERS = Encoders()
"""The encoders of the process."""
_PRINTED = Printed()


class Codec:
    """JSON text to messages of one type and back."""

    def __init__(self, descriptor: Descriptor) -> None:
        """Compiles the type; use `codec`, which remembers."""
        self._factory: type[Message] = message_factory.GetMessageClass(descriptor)
        self._decode = DECODERS.message(descriptor)
        self._encode = ENCODERS.message(descriptor)

    def loads(self, raw: bytes) -> Message:
        """The message of a JSON text.

        Raises:
            MalformedJson: the text is no JSON.
            InvalidFields: fields are unknown, given twice or of the wrong type; names all of them.
        """
        try:
            arguments = self._decode(text.loads(raw))
        except Unacceptable as refused:
            raise InvalidFields(refused.violations()) from None
        if isinstance(arguments, dict):
            return self._factory(**arguments)
        assert isinstance(arguments, Message)  # a Struct, ListValue or Value is made where it is parsed
        return arguments

    def encode(self, message: Message) -> object:
        """The JSON value of a message, as Python objects."""
        return self._encode(message)

    def dumps(self, message: Message) -> bytes:
        """The JSON text of a message."""
        return text.dumps(self._encode(message))

    def dumps_shared(self, message: Message) -> bytes:
        """As `dumps`, for a message that others are told at the same time: it is printed once."""
        return _PRINTED.text(message, self._encode)


@functools.cache
def codec(descriptor: Descriptor) -> Codec:
    """The one codec of a message type."""
    return Codec(descriptor)

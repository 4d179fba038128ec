"""JSON texts of messages that many are told at the same time: each is printed once, whatever door it goes through."""

from google.protobuf.message import Message

from llm_incident_manager.transport.rest.jsoncodec import text
from llm_incident_manager.transport.rest.jsoncodec.encoding import Encode

KEPT = 64
KEPT_BYTES = 2 * 1024 * 1024
"""Texts that are kept for the next one who is told, and their bytes."""


class Printed:
    """Remembers the texts of the last messages by their identity: nobody may change a message that was printed."""

    def __init__(self) -> None:
        """None yet."""
        self._printed: dict[int, tuple[Message, bytes]] = {}
        self._size = 0

    def text(self, message: Message, encode: Encode) -> bytes:
        """The text of a message that others may be told, too."""
        found = self._printed.get(id(message))
        if found is None:
            if len(self._printed) >= KEPT or self._size > KEPT_BYTES:
                self._printed.clear()
                self._size = 0
            made = text.dumps(encode(message))
            found = self._printed[id(message)] = message, made  # the message is kept, so that its id is no other's
            self._size += len(made)
        return found[1]

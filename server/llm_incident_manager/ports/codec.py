"""Values to bytes and back, for what is stored as one piece."""

from typing import Protocol

from llm_incident_manager.domain.event import Event


class Codec(Protocol):
    """Encodes events for storage."""

    def encode_event(self, event: Event) -> bytes:
        """Bytes that `decode_event` turns back into an equal event."""
        ...

    def decode_event(self, data: bytes) -> Event:
        """The event; unknown fields of a newer writer are kept out of sight."""
        ...

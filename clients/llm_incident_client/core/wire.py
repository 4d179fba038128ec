"""Frames as bytes, put together from events that are already bytes.

An event is serialised once, when it is handed over, however often it is sent: half the cost of building the message
anew, an exact size for every bound, and later changes to the caller's event cannot reach what was accepted.
"""

from collections.abc import Iterable

from llm_incident_client import pb

_LENGTH_DELIMITED = 2


def _tag(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


_FRAME = _tag(pb.StreamEventsRequest.FRAME_FIELD_NUMBER, _LENGTH_DELIMITED)
_SEQUENCE = _tag(pb.EventFrame.FIRST_SEQUENCE_FIELD_NUMBER, 0)
_EVENT = _tag(pb.EventFrame.EVENTS_FIELD_NUMBER, _LENGTH_DELIMITED)
# Nearly all events are this short; a look-up is several times cheaper than counting out the digits.
_EVENT_HEADERS = tuple(_EVENT + _varint(size) for size in range(4096))


def frame(first_sequence: int, events: Iterable[bytes]) -> bytes:
    """A StreamEventsRequest that carries these serialised events."""
    parts = [_SEQUENCE, _varint(first_sequence)]
    for event in events:
        size = len(event)
        parts.append(_EVENT_HEADERS[size] if size < len(_EVENT_HEADERS) else _EVENT + _varint(size))
        parts.append(event)
    body = b"".join(parts)
    return b"".join((_FRAME, _varint(len(body)), body))


def opening(producer_id: str) -> bytes:
    """The StreamEventsRequest that opens a stream."""
    return pb.StreamEventsRequest(open=pb.StreamOpen(producer_id=producer_id)).SerializeToString()

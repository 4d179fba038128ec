"""How events lie in a file: length, checksum, position, bytes; and the head of a file. Pure: knows no disk."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_RECORD = struct.Struct("<IIQ")  # bytes of the payload; checksum of position and payload; position
_POSITION = struct.Struct("<Q")
_HEAD = struct.Struct("<8sHHQ")  # magic; version; priority; ordinal of the first record
_CHECK = struct.Struct("<I")
_MAGIC = b"LIM-EDGE"
_VERSION = 1

RECORD_BYTES = _RECORD.size
"""What a record takes besides its payload."""
HEAD_BYTES = _HEAD.size + _CHECK.size
"""Where the first record of a file begins."""


class Record(NamedTuple):
    """An event. Positions rise over all files of a spool; they tell the order in which events came."""

    position: int
    payload: bytes


class Head(NamedTuple):
    """What a file says about itself. The ordinal counts all records that its lane ever had."""

    priority: int
    first_ordinal: int


class Found(NamedTuple):
    """A whole record: its position, where its payload begins, and where the next record does."""

    position: int
    begin: int
    end: int


class UnknownFile(Exception):
    """The file is no segment of a spool, or of a version that this program does not know."""


def encode(position: int, payload: bytes) -> bytes:
    """A record as it is written."""
    return _RECORD.pack(len(payload), _checksum(position, payload), position) + payload


def scan(data: bytes, start: int = 0) -> Iterator[Found]:
    """Whole records from `start` on, up to the first that is cut off or damaged."""
    size = len(data)
    while start + RECORD_BYTES <= size:
        length, checksum, position = _RECORD.unpack_from(data, start)
        begin = start + RECORD_BYTES
        end = begin + length
        if end > size or _checksum(position, data[begin:end]) != checksum:
            return
        yield Found(position, begin, end)
        start = end


def needed(data: bytes) -> int:
    """How many bytes the record at the beginning takes, as far as it can be told."""
    if len(data) < RECORD_BYTES:
        return RECORD_BYTES
    length: int = _RECORD.unpack_from(data)[0]
    return RECORD_BYTES + length


def encode_head(head: Head) -> bytes:
    """The first bytes of a file."""
    packed = _HEAD.pack(_MAGIC, _VERSION, head.priority, head.first_ordinal)
    return packed + _CHECK.pack(zlib.crc32(packed))


def decode_head(data: bytes) -> Head | None:
    """The head of a file; None when it was cut off or damaged. Raises UnknownFile for another kind or version."""
    if len(data) < HEAD_BYTES or _CHECK.unpack_from(data, _HEAD.size)[0] != zlib.crc32(data[: _HEAD.size]):
        return None
    magic, version, priority, ordinal = _HEAD.unpack_from(data)
    if magic != _MAGIC or version != _VERSION:
        raise UnknownFile(f"magic {magic!r}, version {version}: this program reads {_MAGIC!r}, version {_VERSION}")
    return Head(priority, ordinal)


def _checksum(position: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(_POSITION.pack(position)))

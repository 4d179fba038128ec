"""Protobuf's wire format, as far as it takes to put serialised parts together without serialising them again."""


def varint(number: int) -> bytes:
    """An unsigned number."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def number(field: int, value: int) -> bytes:
    """A field that is a number."""
    return varint(field << 3) + varint(value)


def content(field: int, value: bytes) -> bytes:
    """A field that is a string or a message."""
    return varint(field << 3 | 2) + varint(len(value)) + value

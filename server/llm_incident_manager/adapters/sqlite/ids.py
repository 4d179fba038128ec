"""Ids as SQLite keeps them: 16 bytes, big end first, so that their order is the order of the texts."""


def text(stored: bytes) -> str:
    """The canonical text of an id."""
    digits = stored.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def number(stored: bytes) -> int:
    """The id as one number, for counting on from it."""
    return int.from_bytes(stored, "big")


def stored(number: int) -> bytes:
    """The bytes of an id given as one number."""
    return number.to_bytes(16, "big")


def same(text: str) -> str:
    """An id on its way in: the statements turn text into bytes, which costs the interpreter nothing."""
    return text


def from_hex(digits: str) -> str:
    """An id from SQL's hex()."""
    low = digits.lower()
    return f"{low[:8]}-{low[8:12]}-{low[12:16]}-{low[16:20]}-{low[20:]}"

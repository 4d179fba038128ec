"""JSON text to Python values with orjson, refusing what it lets pass: a key given twice, and deep nesting."""

import json
import re

import orjson

from llm_incident_manager.domain.errors import DomainError, ErrorReason
from llm_incident_manager.transport.checker.rules import quote

MAX_DEPTH = 32
"""Most objects and arrays inside each other."""

MOST_ELEMENTS = 10_000
"""Of a list or an object of any keys, before its elements are looked at: more would keep everybody else waiting. Here
they only end the look; the decoder refuses them and can name their field."""

MOST_OBJECTS = 20_000
"""Of a whole text: so many are no request of the contract, and parsing more would keep everybody else waiting."""

_SPACED_COLON = re.compile(rb'"[ \t\r\n]+:')


class MalformedJson(DomainError):
    """The text is no JSON that is taken here."""

    def __init__(self, why: str) -> None:
        """`why` completes "the body is not valid JSON: …"."""
        super().__init__(ErrorReason.MALFORMED_MESSAGE, f"the body is not valid JSON: {why}")


class _Twice(Exception):
    """Carries the key found twice out of the parser."""


class _TooMany(Exception):
    """There are more than MOST_ELEMENTS somewhere."""


def loads(raw: bytes) -> object:
    """The value of a JSON text.

    Raises:
        MalformedJson: syntax, encoding, nesting, a key given twice, or far too many objects.
    """
    # A quote within a string is escaped, so this counts objects; empty or spaced ones go uncounted and only cost time.
    if raw.count(b'{"') > MOST_OBJECTS:
        raise MalformedJson(f"more than {MOST_OBJECTS} objects: send fewer at once")
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError as e:
        raise MalformedJson(str(e)) from e
    try:
        keys = _count_keys(value, 1)
    except _TooMany:
        return value
    # Each key is followed by a colon. As many as there are keys left means none was overwritten by its double.
    if raw.count(b'":') != keys or _SPACED_COLON.search(raw):
        _refuse_doubles(raw)
    return value


def dumps(value: object) -> bytes:
    """The JSON text of a value made of JSON types."""
    return orjson.dumps(value)


def _count_keys(value: object, depth: int) -> int:
    """Keys of an object or array and of all within. Raises MalformedJson beyond MAX_DEPTH, and _TooMany."""
    if type(value) is dict:
        keys, inner = len(value), list(value.values())
    elif type(value) is list:
        keys, inner = 0, value
    else:
        return 0
    if depth > MAX_DEPTH:
        raise MalformedJson(f"more than {MAX_DEPTH} objects and arrays inside each other")
    if len(inner) > MOST_ELEMENTS:
        raise _TooMany
    for item in inner:
        if type(item) is dict or type(item) is list:
            keys += _count_keys(item, depth + 1)
    return keys


def _refuse_doubles(raw: bytes) -> None:
    """The exact, slower look: also taken when text merely contains a quote and a colon."""
    try:
        json.loads(raw, object_pairs_hook=_unique)
    except _Twice as e:
        raise MalformedJson(f"the key {e} is given twice") from None


def _unique(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _Twice(quote(key))
        seen.add(key)

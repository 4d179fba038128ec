"""Hides secrets in what is about to be logged, by the name of a field and by the shape of a text.

It errs on the side of hiding, and bounds depth, length and number of items. It cannot know a secret that has neither
a telling name nor a telling shape, so nothing is logged in the hope that this module catches it.
"""

from collections.abc import Iterable, Mapping
from enum import Enum

from llm_incident_manager.domain.redaction import HIDDEN, Shapes
from llm_incident_manager.domain.secret_names import names_a_secret

_MOST_DEPTH = 6
_MOST_ITEMS = 256
_MOST_TEXT = 8_192
_MOST_REMEMBERED = 4_096
_LONGEST_REMEMBERED = 64
_MOST_INTEGER = 2**63 - 1

_used = [Shapes()]
"""What is hidden, in a list of one: `use` replaces it."""

_harmless: set[str] = set()
"""Short texts that were looked at and had nothing to hide: most lines repeat the same few words."""


def hide(text: str) -> str:
    """The text with what is shaped like a secret hidden, and its end cut off when it is very long."""
    if text in _harmless:
        return text
    if len(text) > _MOST_TEXT:
        text = f"{text[:_MOST_TEXT]}… ({len(text) - _MOST_TEXT} more characters)"
    shown = _used[0].hide(text)
    if shown is text and len(text) <= _LONGEST_REMEMBERED:
        _remember(text)
    return shown


def use(shapes: Shapes) -> None:
    """From now on these are hidden, in all logs of the process."""
    _used[0] = shapes
    _harmless.clear()


def _remember(text: str) -> None:
    if len(_harmless) >= _MOST_REMEMBERED:
        _harmless.clear()
    _harmless.add(text)


def redacted(fields: Mapping[str, object], depth: int = 0) -> dict[str, object]:
    """The fields with secrets hidden and every value one that JSON knows."""
    shown: dict[str, object] = {}
    for name, value in fields.items():
        key = str(name)
        secret = value is not None and type(value) is not bool and names_a_secret(key)
        shown[hide(key)] = HIDDEN if secret else _shown(value, depth)
        if len(shown) >= _MOST_ITEMS:
            break
    return shown


def _shown(value: object, depth: int) -> object:
    if type(value) is str:
        return hide(value)
    if value is None or type(value) in (bool, float):
        return value
    if type(value) is int:
        return value if -_MOST_INTEGER <= value <= _MOST_INTEGER else str(value)
    if isinstance(value, Mapping):
        return redacted(value, depth + 1) if depth < _MOST_DEPTH else "…"
    if isinstance(value, list | tuple | set | frozenset):
        return _items(value, depth + 1) if depth < _MOST_DEPTH else "…"
    return _word(value)


def _items(values: Iterable[object], depth: int) -> list[object]:
    return [_shown(value, depth) for _, value in zip(range(_MOST_ITEMS), values, strict=False)]


def _word(value: object) -> str:
    match value:
        case str():
            return hide(str(value))
        case Enum():
            return value.name
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case BaseException():
            return hide(f"{type(value).__name__}: {_str(value)}")
        case _:
            return hide(_str(value))


def _str(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  # what cannot be printed must not stop what was about to be logged
        return f"<{type(value).__name__}>"

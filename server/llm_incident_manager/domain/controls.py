"""Characters that no honest text has: those that steer terminals, and those that show text in another order."""

import re
from collections.abc import Iterable

RULE = "string.control_characters"
PATTERN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
"""They, in words that JSON Schema, too, understands."""
_STEERING = re.compile(PATTERN)


def steers(text: str) -> bool:
    """Whether the text has a control character other than tab and line ends, or one that turns the direction."""
    return not text.isprintable() and _STEERING.search(text) is not None


def any_steers(texts: Iterable[str]) -> bool:
    """Whether one of them does; several at once cost little more than one."""
    return steers("".join(texts))


def spelled(text: str) -> str:
    """The text with such characters as JSON spells them, `\\u202e`."""
    return text if text.isprintable() else _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def explained(field: str) -> str:
    """What is said of a field that does."""
    return f"{field} has control characters or changes the direction of text: send plain text, lines and tabs"

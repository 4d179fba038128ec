"""Characters that no honest text has: those that steer terminals, and those that show text in another order."""

import re
from collections.abc import Iterable

RULE = "string.control_characters"
_STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def steers(text: str) -> bool:
    """Whether the text has a control character other than tab and line ends, or one that turns the direction."""
    return not text.isprintable() and _STEERING.search(text) is not None


def any_steers(texts: Iterable[str]) -> bool:
    """Whether one of them does; several at once cost little more than one."""
    return steers("".join(texts))


def explained(field: str) -> str:
    """What is said of a field that does."""
    return f"{field} has control characters or changes the direction of text: send plain text, lines and tabs"

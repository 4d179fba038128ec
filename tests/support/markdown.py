"""Programs in Markdown files, as a reader would copy them."""

import re
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: where it begins, and its text."""

    place: str
    text: str


def blocks(path: Path, language: str) -> list[Block]:
    """All fenced blocks of a language."""
    text = path.read_text("utf-8")
    return [
        Block(f"{path.parent.name}/{path.name}:{text.count(chr(10), 0, found.start()) + 1}", found[2])
        for found in _FENCE.finditer(text)
        if found[1] == language
    ]

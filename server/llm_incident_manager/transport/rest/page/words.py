"""Texts of the document as HTML: escaped, with paragraphs, lists and `code`."""

import re
from collections.abc import Iterator
from html import escape

_CODE = re.compile("`([^`]+)`")


def prose(text: str) -> str:
    """A description: paragraphs apart by an empty line, lists of lines that begin with "- "."""
    return "".join(_blocks(text))


def inline(text: str) -> str:
    """A line of text."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def identifier(kind: str, name: str) -> str:
    """The anchor of a thing on the page."""
    return escape(f"{kind}-{name}")


def _blocks(text: str) -> Iterator[str]:
    for block in filter(None, text.split("\n\n")):
        lines = block.split("\n")
        if all(line.startswith("- ") for line in lines):
            yield f"<ul>{''.join(f'<li>{inline(line[2:])}</li>' for line in lines)}</ul>"
        else:
            yield f"<p>{inline(block)}</p>"

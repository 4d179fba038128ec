"""Reads `*.sql` files: each statement has a name and a line that says what it is for. Never builds a statement."""

import re
from collections.abc import Mapping
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*--.*\n?", re.MULTILINE)


def parse(text: str) -> Mapping[str, str]:
    """Statements by name, without comments and the closing semicolon.

    Raises ValueError for a name given twice, a statement without text, and text before the first name.
    """
    head, *parts = _NAME.split(text)
    if _COMMENT.sub("", head).strip():
        raise ValueError("a statement stands before the first '-- name:' line: give it a name")
    statements: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        statement = _COMMENT.sub("", body).strip().removesuffix(";").strip()
        if not statement or name in statements:
            raise ValueError(f"statement {name!r} is {'given twice' if statement else 'empty'}")
        statements[name] = statement
    return statements


def load(package: str) -> Mapping[str, str]:
    """All statements of a package's `*.sql` files by name. Raises ValueError when two files share a name."""
    files = sorted((f for f in resources.files(package).iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return parse("\n".join(file.read_text(encoding="utf-8") for file in files))

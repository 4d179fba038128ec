"""One row of an archive as values, and back: PostgreSQL's COPY text format. Exact for all that both databases hold."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llm_incident_manager.adapters.sql.archive import Column

NULL = "\\N"
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANINGS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _text(field: str) -> str:
    if "\\" not in field:
        return field
    return _ESCAPE.sub(lambda found: _MEANINGS.get(found[1], found[1]), field)


def _bytes(field: str) -> bytes:
    return bytes.fromhex(_text(field)[2:])


def _uuid(field: str) -> bytes:
    return bytes.fromhex(field.replace("-", ""))


def _bool(field: str) -> int:
    return int(field in ("t", "1"))


_KINDS: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "bool": _bool,
    "float": float,
    "text": _text,
    "json": _text,
    "uuid": _uuid,
    "bytes": _bytes,
}


class Parser:
    """Turns lines into rows as SQLite keeps them: ids as bytes, truth as 0 and 1, JSON as text."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """For rows of these columns."""
        self._kinds = [_KINDS[column.kind] for column in columns]

    def row(self, line: str) -> list[Any]:
        """The values of a line. Raises ValueError when it has another number of columns or other texts."""
        fields = line.split("\t")
        return [None if field == NULL else kind(field) for kind, field in zip(self._kinds, fields, strict=True)]

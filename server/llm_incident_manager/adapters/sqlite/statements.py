"""The statements of queries/*.sql, ready to run. A bulk statement takes many rows at once; nothing here knows a table.

A statement that runs for a thousand rows gives up the interpreter lock once; a thousand statements fight for it with
the event loop a thousand times. So rows travel together: the one `VALUES (?, …)` group of a bulk statement is repeated
to a power of two and filled up with rows of NULL, which leaves few texts, each prepared once and kept in apsw's cache.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

import apsw

from llm_incident_manager.adapters.sql import agent_rows, copied, queries, records

Row = tuple[Any, ...]
Bindings = Sequence[Any] | Mapping[str, Any]

CACHED = 512
"""The size of apsw's cache of prepared statements, and the most it allows. It is a ring in which each use takes the
next place: a statement that is used at least once in so many uses stays."""

_LONGEST = 16_000  # apsw caches texts of up to 16,384 bytes
_GROUP = re.compile(r"\(VALUES \((\?(?:, \?)*)\)\)")
_IDS = frozenset({"id", "previous_id", "merged_into"})


def _filled(text: str) -> str:
    """The statement with the lists of an incident's columns in the places kept for them."""
    names = records.INCIDENT_COLUMNS
    values = [f"unhex(column{at}, '-')" if name in _IDS else f"column{at}" for at, name in enumerate(names, 1)]
    changing = [(n, v) for n, v in zip(names, values, strict=True) if n not in records.IMMUTABLE_COLUMNS]
    lists = {
        "{columns}": [f"i.{name}" for name in names],
        "{names}": names,
        "{values}": values,
        "{marks}": "?" * len(names),
        "{tenant}": [f"column{names.index('tenant') + 1}"],
        "{changes}": [f"{name} = {value.replace('column', 'v.column')}" for name, value in changing],
    }
    for place, items in lists.items():
        text = text.replace(place, ", ".join(items))
    for place, words in {**copied.pieces("incident_index"), **agent_rows.PLACES}.items():
        text = text.replace(place, words)
    return text


STATEMENTS: Mapping[str, str] = {name: _filled(text) for name, text in queries.load(f"{__package__}.queries").items()}


class Bulk:
    """A statement for many rows."""

    def __init__(self, text: str) -> None:
        """`text` has exactly one VALUES group."""
        self._before, marks, self._after = _GROUP.split(text)
        self._group = f"({marks.replace(' ', '')})"
        self._width = marks.count("?")
        room = (_LONGEST - len(text)) // (len(self._group) + 1)
        self.most = 1 << (room.bit_length() - 1)
        self._texts: dict[int, str] = {}

    def run(self, connection: apsw.Connection, rows: Sequence[Sequence[Any]]) -> list[Row]:
        """Runs for all rows, in few steps, and returns what the statement answers. No rows: no step."""
        answered: list[Row] = []
        for start in range(0, len(rows), self.most):
            answered += self._step(connection, rows[start : start + self.most])
        return answered

    def changing(self, connection: apsw.Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Runs for all rows; returns how many rows of its table it wrote, without what triggers write."""
        written = 0
        for start in range(0, len(rows), self.most):
            self._step(connection, rows[start : start + self.most])
            written += connection.changes()
        return written

    def _step(self, connection: apsw.Connection, rows: Sequence[Sequence[Any]]) -> apsw.Cursor:
        size = 1 << (len(rows) - 1).bit_length()
        values = list(chain.from_iterable(rows))
        values.extend([None] * (size * self._width - len(values)))
        return connection.execute(self.text(size), values)

    def text(self, size: int) -> str:
        """The statement for so many rows."""
        if size not in self._texts:
            self._texts[size] = f"{self._before}(VALUES {','.join([self._group] * size)}){self._after}"
        return self._texts[size]


@cache
def bulk(name: str) -> Bulk:
    """The bulk statement of that name."""
    return Bulk(STATEMENTS[name])


def first(connection: apsw.Connection, name: str, values: Bindings = ()) -> Row | None:
    """The first row a statement answers."""
    answered = rows(connection, name, values)
    return answered[0] if answered else None


def rows(connection: apsw.Connection, name: str, values: Bindings = ()) -> list[Row]:
    """All rows a statement answers."""
    return connection.execute(STATEMENTS[name], values).fetchall()

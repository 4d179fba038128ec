"""New rows of many tables: few of them in one statement for all tables, many by COPY, a table at a time.

A COPY takes two round trips and is the cheapest for many rows; for a few the round trips are nearly all of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from llm_incident_manager.adapters.postgres.pool import Connection
from llm_incident_manager.adapters.postgres.statements import TYPES

Rows = Sequence[tuple[Any, ...]]

FEW = 100
"""Rows of a table that still go into the one statement."""

_OTHERS: Mapping[str, str] = {
    "after": "jsonb",
    "answer": "bytea",
    "at": "bigint",
    "attempts": "integer",
    "before": "jsonb",
    "body": "bytea",
    "count": "integer",
    "decision": "jsonb",
    "details": "jsonb",
    "digest": "bytea",
    "disposition": "smallint",
    "due_at": "bigint",
    "duplicate_of": "uuid",
    "event_id": "uuid",
    "event_time": "bigint",
    "fence": "bigint",
    "first_event_id": "uuid",
    "first_sequence": "bigint",
    "hash": "bytea",
    "incident_id": "uuid",
    "prev_hash": "bytea",
    "received_at": "bigint",
    "sequence": "bigint",
    "version": "smallint",
}
"""Types of columns beside those of an incident, in all tables alike; the rest is text."""


class Table(NamedTuple):
    """A table and the columns that new rows bring along."""

    name: str
    columns: tuple[str, ...]


async def insert(connection: Connection, tables: Iterable[tuple[Table, Rows]]) -> None:
    """Inserts rows that depend on nothing else among them. Raises the driver's errors."""
    few: list[tuple[Table, Rows]] = []
    for table, rows in tables:
        if len(rows) > FEW:
            await connection.copy_records_to_table(table.name, records=rows, columns=table.columns)
        elif rows:
            few.append((table, rows))
    if few:
        columns = [values for _, rows in few for values in zip(*rows, strict=True)]
        await connection.execute(statement(tuple(table for table, _ in few)), *columns)


@lru_cache(maxsize=256)
def statement(tables: tuple[Table, ...]) -> str:
    """One that inserts into all these tables; its parameters are arrays, one for each column."""
    inserts, place = [], 0
    for name, columns in tables:
        arrays = ", ".join(f"${place + n}::{type_of(column)}[]" for n, column in enumerate(columns, 1))
        inserts.append(f"INSERT INTO {name} ({', '.join(columns)}) SELECT * FROM unnest({arrays})")  # noqa: S608  # names of ours
        place += len(columns)
    *parts, last = inserts
    return f"WITH {', '.join(f't{n} AS ({part})' for n, part in enumerate(parts))} {last}" if parts else last


def type_of(column: str) -> str:
    """The type of a column, which is the same in all tables."""
    return TYPES.get(column) or _OTHERS.get(column, "text")

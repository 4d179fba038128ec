"""Which schema changes a database still needs: reads the plain-SQL files, judges what was applied. Runs none of them.

A file is called NNNN_pre_what.sql (safe while the old program still runs) or NNNN_post_what.sql (once it has gone).
Changes go forward only. A file that any database has seen never changes again: a mistake is mended by the next file.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import NamedTuple

from llm_incident_manager.ports.stores import StoreRefused

_FILE = re.compile(r"(\d{4})_(?:pre|post)_[a-z0-9_]+\.sql")
_SNAPSHOT = "schema.sql"


class Migration(NamedTuple):
    """One file: its number, its name without the ending, its statements, and their SHA-256 in hex."""

    version: int
    name: str
    sql: str
    checksum: str


class Applied(NamedTuple):
    """What the database remembers of a file: a row of `schema_migration`."""

    version: int
    name: str
    checksum: str


def parse(files: Iterable[tuple[str, str]]) -> tuple[Migration, ...]:
    """The migrations of (file name, text) pairs, in order.

    Raises ValueError for a name of another form, and when the numbers are not 1, 2, 3 and so on.
    """
    found = sorted(_migration(name, text) for name, text in files if name != _SNAPSHOT)
    for expected, migration in enumerate(found, 1):
        if migration.version != expected:
            raise ValueError(f"migration {migration.name} stands where number {expected:04d} should: renumber it")
    return tuple(found)


def load(dialect: str) -> tuple[Migration, ...]:
    """The migrations this program brings for "sqlite" or "postgres"."""
    folder = resources.files("llm_incident_manager") / "_migrations" / dialect
    return parse((file.name, file.read_text(encoding="utf-8")) for file in folder.iterdir())


def pending(known: Sequence[Migration], applied: Iterable[Applied]) -> tuple[Migration, ...]:
    """The migrations to run, in order.

    Raises StoreRefused, saying what to do, when the database is newer than the program or saw another text of a file.
    """
    done = sorted(applied)
    for row, migration in zip(done, known, strict=False):
        _check(row, migration)
    if len(done) > len(known):
        raise StoreRefused(
            f"the database has migration {done[-1].name}, but this program ends at {known[-1].version:04d}: "
            "start the newer program, or restore a backup made before the update"
        )
    return tuple(known[len(done) :])


def _migration(name: str, text: str) -> Migration:
    matched = _FILE.fullmatch(name)
    if matched is None:
        raise ValueError(f"{name} is no name of a migration: call it NNNN_pre_what.sql or NNNN_post_what.sql")
    checksum = hashlib.sha256("\n".join(text.splitlines()).encode()).hexdigest()
    return Migration(int(matched[1]), name.removesuffix(".sql"), text, checksum)


def _check(row: Applied, migration: Migration) -> None:
    if row.version != migration.version:
        raise StoreRefused(
            f"the database has migration {row.name} but not {migration.name} before it: restore a backup, "
            "since nobody knows what such a database contains"
        )
    if (row.name, row.checksum) != (migration.name, migration.checksum):
        raise StoreRefused(
            f"migration {migration.name} is not what was applied to the database as {row.name}: "
            "install the program that was used before, and put changes into a new migration"
        )

"""Which schema changes a database still needs: reads the plain-SQL files, judges what was applied. Runs none of them.

A file is called NNNN_pre_what.sql or NNNN_post_what.sql. The first kind only adds, so that the program before it goes
on running, and can be started again, on the schema that it leaves. The second takes away what only that one needed.
Changes go forward only. A file that any database has seen never changes again: a mistake is mended by the next file.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from importlib import resources
from itertools import takewhile
from typing import NamedTuple

from llm_incident_manager.domain.phases import Phase
from llm_incident_manager.ports.stores import StoreRefused

_FILE = re.compile(r"(\d{4})_(?:pre|post)_[a-z0-9_]+\.sql")
_SNAPSHOT = "schema.sql"


class Migration(NamedTuple):
    """One file: its number, its name without the ending, its statements, and their SHA-256 in hex."""

    version: int
    name: str
    sql: str
    checksum: str

    @property
    def adds(self) -> bool:
        """Whether servers of before may run on what it leaves."""
        return _adds(self.name)


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


def to_run(known: Sequence[Migration], applied: Iterable[Applied], phase: Phase) -> tuple[Migration, ...]:
    """The migrations that a phase runs, in order.

    Raises StoreRefused as `pending`, when PRE comes upon one that has to wait for a POST, and when POST lacks a PRE. To
    PRE a newer database is no obstacle to which only has been added.
    """
    done = sorted(applied)
    if phase is Phase.ALL:
        return pending(known, done)
    if phase is Phase.PRE:
        todo = pending(known, _without_additions(known, done))
        return todo[: _adding(todo)]
    todo = pending(known, done)
    if todo and todo[0].adds:
        raise StoreRefused(f"the database lacks {todo[0].name}, which comes before: run migrate --phase pre first")
    return tuple(takewhile(lambda migration: not migration.adds, todo))


def require(known: Sequence[Migration], applied: Iterable[Applied]) -> None:
    """Raises StoreRefused unless the program can run on the database as it is."""
    if todo := to_run(known, applied, Phase.PRE):
        names = ", ".join(migration.name for migration in todo)
        raise StoreRefused(f"the database lacks {names}: run the migrations first, with the command migrate")


def _without_additions(known: Sequence[Migration], done: Sequence[Applied]) -> Sequence[Applied]:
    """What was applied, without what a newer program has only added: this one runs beside it."""
    newer = done[len(known) :]
    return done[: len(known)] if all(_adds(row.name) for row in newer) else done


def _adding(todo: Sequence[Migration]) -> int:
    """How many of the first only add. Raises StoreRefused when more of them come behind one that does not."""
    count = sum(1 for _ in takewhile(lambda migration: migration.adds, todo))
    if behind := [migration.name for migration in todo[count:] if migration.adds]:
        raise StoreRefused(
            f"the database lacks {todo[count].name}, which has to run before {behind[0]}: "
            "end the servers of the previous version, then run migrate --phase all"
        )
    return count


def _adds(name: str) -> bool:
    return name[4:].startswith("_pre_")


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

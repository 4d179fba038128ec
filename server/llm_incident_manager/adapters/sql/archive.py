"""A backup as one file: a zip with a manifest and every table as text. Both databases write it and read it.

The rows are in PostgreSQL's COPY text format: one a line, columns between tabs, `\\N` for NULL, backslash escapes. An
id is 32 hexadecimal digits with or without dashes, bytes are `\\x` and digits. Nothing here knows a database.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from llm_incident_manager.adapters.sql.migrations import Applied
from llm_incident_manager.ports.stores import StoreRefused

FORMAT = 1
DERIVED = frozenset(
    {
        "incident_index",
        "incident_term",
        "incident_count",
        "incident_document",
        "incident_words",
        "index_position",
        "process",
        "schema_migration",
    }
)
"""Tables that no backup has: the servers make them anew, and the manifest holds the migrations."""

GIVEN = frozenset({"access_revision", "tenant"})
"""Tables that have rows from the start: they alone make no database one with records, and a restore empties them."""

DERIVED_COLUMNS = frozenset({("incident_change", "transaction"), ("outbox", "blocked")})
"""Columns that only one database has, and makes itself."""

_MANIFEST = "manifest.json"
_CHUNK = 1 << 20


class Column(NamedTuple):
    """A column and what its texts mean: int, bool, float, text, json, uuid or bytes."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Table:
    """What the manifest says of a table. `sha256` is of the uncompressed text."""

    columns: tuple[Column, ...]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a database says of itself at the moment of the backup."""

    store: str
    created_at: str
    program: str
    migrations: tuple[Applied, ...]
    feed_transaction: int
    feed_sequence: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds, and of which moment: the change feed up to its position, and all that belongs to it."""

    facts: Facts
    tables: Mapping[str, Table]

    @property
    def schema(self) -> int:
        """The number of the last migration."""
        return self.facts.migrations[-1].version

    def rows(self, table: str) -> int:
        """How many rows a table has; 0 when it is not there."""
        return self.tables[table].rows if table in self.tables else 0


@dataclass
class TableWriter:
    """Takes the text of one table."""

    target: Any
    rows: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        """Appends whole or broken lines."""
        self.rows += data.count(b"\n")
        self.digest.update(data)
        self.target.write(data)


class Writer:
    """Writes an archive, table by table; without `finish` it is none."""

    def __init__(self, file: Path) -> None:
        """Makes the file. `beside` is a free name next to it. Raises OSError."""
        self.beside = file.with_name(f"{file.name}.copy")
        self._zip = zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._tables: dict[str, Table] = {}

    @contextmanager
    def table(self, name: str, columns: Sequence[Column]) -> Iterator[TableWriter]:
        """Opens a table for the block."""
        with self._zip.open(_member(name), "w", force_zip64=True) as target:
            writer = TableWriter(target)
            yield writer
        self._tables[name] = Table(tuple(columns), writer.rows, writer.digest.hexdigest())

    def finish(self, facts: Facts) -> None:
        """Adds the manifest and closes the file."""
        content = {"format": FORMAT, **asdict(Manifest(facts, self._tables))}
        self._zip.writestr(zipfile.ZipInfo(_MANIFEST), json.dumps(content, indent=1))
        self._zip.close()


class Reader:
    """Reads an archive and believes nothing that it has not added up itself."""

    def __init__(self, file: Path) -> None:
        """Raises StoreRefused when the file is no archive, or of a later program; OSError."""
        self._file = file
        with self._whole():
            self._zip = zipfile.ZipFile(file)
            content = json.loads(self._zip.read(_MANIFEST))
            if content["format"] != FORMAT:
                raise StoreRefused(f"{file} was written by a later program: use that one")
            self.manifest = _manifest(content)

    def __enter__(self) -> Self:
        """Open already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the file."""
        self._zip.close()

    def chunks(self, name: str) -> Iterator[bytes]:
        """The text of a table. Raises StoreRefused, at the end at the latest, when it is not what was written."""
        table, digest, rows = self.manifest.tables[name], hashlib.sha256(), 0
        with self._whole(), self._zip.open(_member(name)) as source:
            while data := source.read(_CHUNK):
                digest.update(data)
                rows += data.count(b"\n")
                yield data
        if (digest.hexdigest(), rows) != (table.sha256, table.rows):
            raise StoreRefused(f"{self._file} is damaged (table {name}): take another backup")

    def lines(self, name: str) -> Iterator[str]:
        """The rows of a table, without their ends. Raises as `chunks`."""
        rest = b""
        for data in self.chunks(name):
            *whole, rest = (rest + data).split(b"\n")
            yield from (line.decode() for line in whole)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError) as error:
            message = f"{self._file} is no whole backup ({type(error).__name__}): take another one"
            raise StoreRefused(message) from error


def _member(table: str) -> str:
    return f"tables/{table}.copy"


def _manifest(content: Mapping[str, Any]) -> Manifest:
    facts = dict(content["facts"])
    facts["migrations"] = tuple(Applied(*row) for row in facts["migrations"])
    tables = {
        name: Table(tuple(Column(*column) for column in table["columns"]), table["rows"], table["sha256"])
        for name, table in content["tables"].items()
    }
    return Manifest(Facts(**facts), tables)

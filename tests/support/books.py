"""What stands in a server's SQLite database, read beside the server: the books that every promise is held against."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

OPEN_STATES = "('NEW', 'ACKNOWLEDGED', 'IN_PROGRESS', 'ESCALATED')"


class Books:
    """Read-only questions to a database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def event_ids(self) -> set[str]:
        """Ids of all accepted events."""
        return {str(uuid.UUID(bytes=row[0])) for row in self._connection.execute("SELECT id FROM event")}

    def count(self, table: str) -> int:
        """Rows of a table."""
        return self._number(f"SELECT count(*) FROM {table}")

    def events_of_incidents(self) -> int:
        """What the incidents count, added up."""
        return self._number("SELECT coalesce(sum(event_count), 0) FROM incident")

    def dispositions(self) -> dict[int, int]:
        """How many events have which disposition."""
        return dict(self._connection.execute("SELECT disposition, count(*) FROM event GROUP BY 1"))

    def fingerprints_open_twice(self) -> list[str]:
        """Fingerprints with more than one open incident: there must be none."""
        return [row[0] for row in self._connection.execute(
            f"SELECT fingerprint FROM incident WHERE state IN {OPEN_STATES} "
            "GROUP BY tenant, fp_version, fingerprint HAVING count(*) > 1"
        )]  # fmt: skip

    def open_without_key(self) -> int:
        """Open incidents that their key does not point to: there must be none."""
        return self._number(
            f"SELECT count(*) FROM incident i WHERE state IN {OPEN_STATES} AND NOT EXISTS "
            "(SELECT 1 FROM incident_key k WHERE k.tenant = i.tenant AND k.fingerprint = i.fingerprint "
            "AND k.incident_id = i.id)"
        )

    def keys_of_nothing_open(self) -> int:
        """Keys that point to an incident that is over: there must be none."""
        return self._number(
            "SELECT count(*) FROM incident_key k JOIN incident i ON i.id = k.incident_id "
            f"WHERE i.state NOT IN {OPEN_STATES}"
        )

    def _number(self, sql: str) -> int:
        number: int = self._connection.execute(sql).fetchone()[0]
        return number


@contextmanager
def books_of(data: Path) -> Iterator[Books]:
    """Opens the database in a data directory; `integrity_check` first."""
    (file,) = data.glob("*.db")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        yield Books(connection)

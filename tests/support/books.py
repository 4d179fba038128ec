"""What stands in a server's database, read beside the server: the books that every promise is held against."""

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.support.postgres import Cluster

OPEN_STATES = "('NEW', 'ACKNOWLEDGED', 'IN_PROGRESS', 'ESCALATED')"


class Books:
    """Read-only questions to a database; `ask` runs a statement and gives its rows."""

    def __init__(self, ask: Callable[[str], Sequence[Sequence[Any]]]) -> None:
        self._ask = ask

    def event_ids(self) -> set[str]:
        """Ids of all accepted events."""
        return {_id(stored) for (stored,) in self._ask("SELECT id FROM event")}

    def first_event_ids(self) -> set[str]:
        """Ids of the accepted events that repeat no other one."""
        return {_id(stored) for (stored,) in self._ask("SELECT id FROM event WHERE disposition <> 3")}

    def count(self, table: str) -> int:
        """Rows of a table."""
        return self.number(f"SELECT count(*) FROM {table}")

    def events_of_incidents(self) -> int:
        """What the incidents count, added up."""
        return self.number("SELECT coalesce(sum(event_count), 0) FROM incident")

    def dispositions(self) -> dict[int, int]:
        """How many events have which disposition."""
        found = self._ask("SELECT disposition, count(*) FROM event GROUP BY 1")
        return {int(disposition): int(number) for disposition, number in found}

    def fingerprints_open_twice(self) -> list[str]:
        """Fingerprints with more than one open incident: there must be none."""
        return [row[0] for row in self._ask(
            f"SELECT fingerprint FROM incident WHERE state IN {OPEN_STATES} "
            "GROUP BY tenant, fp_version, fingerprint HAVING count(*) > 1"
        )]  # fmt: skip

    def open_without_key(self) -> int:
        """Open incidents that their key does not point to: there must be none."""
        return self.number(
            f"SELECT count(*) FROM incident i WHERE state IN {OPEN_STATES} AND NOT EXISTS "
            "(SELECT 1 FROM incident_key k WHERE k.tenant = i.tenant AND k.fingerprint = i.fingerprint "
            "AND k.incident_id = i.id)"
        )

    def keys_of_nothing_open(self) -> int:
        """Keys that point to an incident that is over: there must be none."""
        return self.number(
            "SELECT count(*) FROM incident_key k JOIN incident i ON i.id = k.incident_id "
            f"WHERE i.state NOT IN {OPEN_STATES}"
        )

    def breaches(self) -> list[tuple[str, int]]:
        """The recorded breaches of promises: whose, and when it was recorded."""
        found = self._ask("SELECT incident_id, at FROM timeline WHERE kind = 'SLA_BREACHED'")
        return [(_id(stored), int(at)) for stored, at in found]

    def number(self, sql: str) -> int:
        """The one number that a statement gives."""
        ((number,),) = self._ask(sql)
        return int(number)


def _id(stored: bytes | str) -> str:
    return str(uuid.UUID(bytes=stored) if isinstance(stored, bytes) else uuid.UUID(stored))


@contextmanager
def books_of(data: Path) -> Iterator[Books]:
    """Opens the database in a data directory; `integrity_check` first."""
    (file,) = data.glob("*.db")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        yield Books(lambda sql: connection.execute(sql).fetchall())


def books_in(cluster: Cluster, database: str) -> Books:
    """The books in a PostgreSQL database."""
    return Books(lambda sql: [line.split("|") for line in cluster.sql(sql, database).splitlines()])
